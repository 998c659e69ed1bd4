"""The order in which copies are preferred, written into the key by which documents meet.

A rank is 29 bytes: what makes a document the better copy, big-endian, then its id. So any sort by it (Spark's, Arrow's,
Python's: all compare bytes) puts the survivor of a set of copies first, no two documents tie, and the id is its tail.

    1 byte    255 for this run's documents, less for those of earlier runs: what is already there stays
    4 bytes   quality, best first; a document that no classifier scored comes before those that one did, because only
              domains that need it (the crawl) are scored, and a curated copy is worth more than a crawled one
    4 bytes   length in characters, longest first
    4 bytes   date (year, month, day), earliest first: the original before its copies; undated last
    16 bytes  id
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

SIZE = 29
_TOP = 0xFFFFFFFF
_DATE = re.compile(r"\s*(\d{4})-?(\d{2})?-?(\d{2})?")


def ranks(
    ids: Sequence[str], quality: Sequence[float | None], lengths: Sequence[int], dates: Sequence[str | None]
) -> pa.BinaryArray:
    """The rank of each document (32 hex digits of id; quality from 0 to 1 or None; ISO dates or None)."""
    rows = np.zeros((len(ids), SIZE), np.uint8)
    rows[:, 0] = 255
    scores = np.array([np.inf if score is None else max(float(score), 0.0) for score in quality], np.float32)
    rows[:, 1:5] = _bytes(np.uint32(_TOP) - scores.view(np.uint32))  # bits of floats >= 0 are ordered as the floats are
    rows[:, 5:9] = _bytes(_TOP - np.minimum(np.array(lengths, np.int64), _TOP))
    rows[:, 9:13] = _bytes(np.array([_day(date) for date in dates], np.int64))
    rows[:, 13:] = np.frombuffer(bytes.fromhex("".join(ids)), np.uint8).reshape(-1, 16)
    return binary(rows)


def identity(rank: bytes) -> str:
    """The id at the end of a rank."""
    return rank[13:].hex()


def binary(rows: NDArray[np.uint8]) -> pa.BinaryArray:
    """The rows of a matrix of bytes [N, width] as an Arrow array of binaries, without a Python object a row."""
    count, width = rows.shape
    offsets = np.arange(0, (count + 1) * width, width, dtype=np.int32) if width else np.zeros(count + 1, np.int32)
    data = pa.py_buffer(np.ascontiguousarray(rows).tobytes())
    return pa.Array.from_buffers(pa.binary(), count, [None, pa.py_buffer(offsets.tobytes()), data])


def matrix(column: pa.Array, width: int) -> NDArray[np.uint8]:
    """The reverse of `binary`: an Arrow array of binaries, all `width` bytes long, as a matrix [N, width]."""
    offsets = np.frombuffer(column.buffers()[1], np.int32)[column.offset : column.offset + len(column) + 1]
    if len(column) and (np.diff(offsets) != width).any():
        raise ValueError(f"a column of {width}-byte values holds one of another length.")
    data = np.frombuffer(column.buffers()[2] or b"", np.uint8)
    return data[offsets[0] : offsets[0] + len(column) * width].reshape(len(column), width)


def _bytes(values: NDArray[np.uint32] | NDArray[np.int64]) -> NDArray[np.uint8]:
    return values.astype(">u4").view(np.uint8).reshape(-1, 4)


def _day(date: str | None) -> int:
    found = _DATE.match(date) if date else None
    return int(found[1]) * 10000 + int(found[2] or 99) * 100 + int(found[3] or 99) if found else _TOP
