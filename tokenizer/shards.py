"""Token shards: the .bin/.idx format of Megatron-LM, written by the data line and read by the trainer.

    PATH.bin   token ids back to back, little-endian
    PATH.idx   MMIDIDX\\0\\0 | version u64 = 1 | type code u8 | sequences S u64 | documents + 1 = D u64
               | lengths i32[S] | byte offsets i64[S] | document indices i64[D]
    PATH.doc   ours, beside them: for each document its language and its UTF-8 bytes (see `DOCUMENT`)

Each document is one sequence, so D = S + 1 and the document indices count 0, 1, 2 ... The bytes of .bin and .idx are
those that Megatron's own builder writes, so its tools read our shards and ours read its.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from core import storage

MAGIC = b"MMIDIDX\x00\x00"
VERSION = 1
CODES = {1: np.uint8, 2: np.int8, 3: np.int16, 4: np.int32, 5: np.int64, 6: np.float64, 7: np.float32, 8: np.uint16}
_HEADER = struct.Struct("<9sQBQQ")
_LARGEST_UINT16_VOCABULARY = 65499  # Megatron's own limit: from 65,500 entries on it writes int32

# One record a document, in the order of the shard. `language` counts into the sorted names of the shard's languages.
DOCUMENT = np.dtype([("language", "<u2"), ("utf8_bytes", "<i8")])

Ids = npt.NDArray[Any]


class DamagedShard(ValueError):
    """A shard that cannot be what was written; the message names the file and what is wrong with it."""


def dtype_for(vocabulary: int) -> np.dtype[Any]:
    """The type of token ids for a vocabulary of this size, as Megatron chooses it: uint16 where it fits, else int32."""
    return np.dtype(np.uint16 if vocabulary <= _LARGEST_UINT16_VOCABULARY else np.int32)


@dataclass(frozen=True)
class Written:
    """What a writer wrote: counts (tokens also by language), and the SHA-256 of each file by its ending."""

    documents: int
    tokens: int
    utf8_bytes: int
    languages: Mapping[str, int]
    sha256: Mapping[str, str]


class ShardWriter:
    """Writes one shard; `with ShardWriter(path, dtype) as writer: writer.add(ids)`, then `writer.written`.

    `path` is a path or URI without ending. Nothing stands under the final names until all is written, and nothing is
    left behind when the block ends with an error.
    """

    def __init__(self, path: str, dtype: npt.DTypeLike) -> None:
        self.path = path
        self.dtype = np.dtype(dtype).newbyteorder("<")
        self._code = _code(self.dtype)
        self._lengths: list[Ids] = []
        self._utf8_bytes: list[Ids] = []
        self._languages: list[str] = []
        self._digest = hashlib.sha256()
        self.written: Written | None = None

    def __enter__(self) -> ShardWriter:
        self._stack = ExitStack()
        # The index is entered first, hence renamed last: where it stands, the other files stand too.
        self._index_path = self._stack.enter_context(storage.aside(f"{self.path}.idx"))
        self._documents_path = self._stack.enter_context(storage.aside(f"{self.path}.doc"))
        bin_path = self._stack.enter_context(storage.aside(f"{self.path}.bin"))
        self._bin: IO[bytes] = self._stack.enter_context(open(bin_path, "wb"))
        return self

    def add(self, ids: npt.ArrayLike, language: str = "und", utf8_bytes: int = 0) -> None:
        """Appends one document: its token ids (the end-of-document id included), language and text bytes."""
        flat = np.asarray(ids)
        self.add_many(flat, np.array([len(flat)]), [language], np.array([utf8_bytes]))

    def add_many(self, ids: Ids, lengths: Ids, languages: Sequence[str], utf8_bytes: Ids) -> None:
        """Appends documents: `ids` [tokens] back to back, `lengths`, `languages` and `utf8_bytes` [documents]."""
        if int(lengths.sum()) != len(ids):
            raise ValueError(f"{self.path}: lengths sum to {int(lengths.sum())}, but {len(ids)} token ids were given.")
        if len(ids) and (int(ids.min()) < 0 or int(ids.max()) > np.iinfo(self.dtype).max):
            raise ValueError(f"{self.path}: token ids {int(ids.min())} to {int(ids.max())} do not fit {self.dtype}.")
        raw = np.ascontiguousarray(ids, self.dtype).data  # no copy where they are of that type already
        self._bin.write(raw)
        self._digest.update(raw)
        self._lengths.append(lengths.astype("<i4"))
        self._utf8_bytes.append(utf8_bytes)
        self._languages.extend(languages)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is not None:
            self._stack.__exit__(kind, error, trace)
            return
        with self._stack:
            if not self._languages:
                raise ValueError(f"{self.path}: a shard needs at least one document; write none where there are none.")
            lengths = np.concatenate(self._lengths)
            names, codes = np.unique(self._languages, return_inverse=True)
            records = np.zeros(len(lengths), DOCUMENT)
            records["language"], records["utf8_bytes"] = codes, np.concatenate(self._utf8_bytes)
            index, documents = index_bytes(lengths, self.dtype), records.tobytes()
            for path, raw in ((self._index_path, index), (self._documents_path, documents)):
                with open(path, "wb") as handle:
                    handle.write(raw)
        self.written = Written(
            documents=len(lengths),
            tokens=int(lengths.sum(dtype=np.int64)),
            utf8_bytes=int(records["utf8_bytes"].sum()),
            languages={str(name): int(lengths[codes == code].sum(dtype=np.int64)) for code, name in enumerate(names)},
            sha256={"bin": self._digest.hexdigest(), "idx": _sha256(index), "doc": _sha256(documents)},
        )


def file_sizes(sequences: int, tokens: int, dtype: npt.DTypeLike) -> dict[str, int]:
    """Bytes that each file of a shard must have, by its ending: a check without opening it."""
    return {
        "bin": tokens * np.dtype(dtype).itemsize,
        "idx": _HEADER.size + 12 * sequences + 8 * (sequences + 1),
        "doc": sequences * DOCUMENT.itemsize,
    }


def index_bytes(lengths: Ids, dtype: npt.DTypeLike) -> bytes:
    """The .idx file for sequences of these lengths [S], one sequence a document."""
    dtype = np.dtype(dtype)
    sizes = lengths.astype(np.int64) * dtype.itemsize
    offsets = np.concatenate([[0], np.cumsum(sizes)[:-1]]) if len(sizes) else np.zeros(0)
    header = _HEADER.pack(MAGIC, VERSION, _code(dtype), len(lengths), len(lengths) + 1)
    parts = (lengths.astype("<i4"), offsets.astype("<i8"), np.arange(len(lengths) + 1, dtype="<i8"))
    return header + b"".join(part.tobytes() for part in parts)


class Shard:
    """One shard, memory-mapped: `len(shard)` sequences, `shard[i]` their ids, `.tokens` all ids back to back.

    Opening reads the index alone and checks that every size agrees; `verify` reads all of it and compares checksums.
    Raises DamagedShard, which names the file, where something cannot be as written.
    """

    def __init__(self, path: str) -> None:
        if not storage.is_local(path):
            raise ValueError(f"{path}: a shard is memory-mapped and so must be on a local disk; copy it there first.")
        self.path = storage.local_path(path)
        index_path, bin_path = f"{self.path}.idx", f"{self.path}.bin"
        for needed in (index_path, bin_path):
            if not os.path.exists(needed):
                raise DamagedShard(f"{needed}: is missing; encode the shard again.")
        self.dtype, self.lengths, self.offsets, self.documents = _read_index(index_path)
        """Type of the ids; tokens of each sequence i32 [S]; byte offset of each i64 [S]; document indices i64 [D]."""
        expected = int(self.lengths.sum(dtype=np.int64)) * self.dtype.itemsize
        size = os.path.getsize(bin_path)
        if size != expected:
            raise DamagedShard(f"{bin_path}: has {size:,} bytes, its index counts {expected:,}; encode it again.")
        self.tokens: Ids = np.memmap(bin_path, self.dtype, mode="r") if size else np.zeros(0, self.dtype)
        self._starts = self.offsets // self.dtype.itemsize

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, sequence: int) -> Ids:
        """The token ids of one sequence (a view of the mapped file)."""
        if not 0 <= sequence < len(self):
            raise IndexError(f"{self.path}: sequence {sequence} of {len(self)}")
        start = int(self._starts[sequence])
        return self.tokens[start : start + int(self.lengths[sequence])]

    def records(self) -> npt.NDArray[Any]:
        """Language code and UTF-8 bytes of each document [S], type DOCUMENT."""
        path = f"{self.path}.doc"
        if not os.path.exists(path):
            raise DamagedShard(f"{path}: is missing; encode the shard again.")
        expected = len(self) * DOCUMENT.itemsize
        if os.path.getsize(path) != expected:
            raise DamagedShard(f"{path}: has {os.path.getsize(path):,} bytes, {len(self)} documents need {expected:,}.")
        return np.fromfile(path, DOCUMENT)

    def verify(self, sha256: Mapping[str, str]) -> None:
        """Compares each file with its checksum from the manifest; reads all of it."""
        for ending, digest in sha256.items():
            path = f"{self.path}.{ending}"
            with open(path, "rb") as handle:
                found = hashlib.file_digest(handle, "sha256").hexdigest()
            if found != digest:
                raise DamagedShard(f"{path}: SHA-256 is {found}, the manifest says {digest}; encode the shard again.")


def _read_index(path: str) -> tuple[np.dtype[Any], Ids, Ids, Ids]:
    size = os.path.getsize(path)
    if size < _HEADER.size:
        raise DamagedShard(f"{path}: has {size} bytes, too few for an index; encode the shard again.")
    with open(path, "rb") as handle:
        magic, version, code, sequences, documents = _HEADER.unpack(handle.read(_HEADER.size))
    if magic != MAGIC or version != VERSION:
        raise DamagedShard(f"{path}: begins with {magic!r}, version {version}, and not {MAGIC!r}, version {VERSION}.")
    if code not in CODES:
        raise DamagedShard(f"{path}: type code {code} is unknown; known are {', '.join(map(str, CODES))}.")
    expected = _HEADER.size + 12 * sequences + 8 * documents
    if size != expected:
        raise DamagedShard(f"{path}: has {size:,} bytes; {sequences:,} sequences need {expected:,}; encode it again.")
    dtype = np.dtype(CODES[code]).newbyteorder("<")
    raw = np.memmap(path, np.uint8, mode="r", offset=0)
    at = _HEADER.size
    lengths = np.frombuffer(raw, "<i4", sequences, at)
    offsets = np.frombuffer(raw, "<i8", sequences, at + 4 * sequences)
    indices = np.frombuffer(raw, "<i8", documents, at + 12 * sequences)
    ends = np.cumsum(lengths, dtype=np.int64) * dtype.itemsize
    if sequences and (lengths.min() < 0 or offsets[0] != 0 or not np.array_equal(offsets[1:], ends[:-1])):
        raise DamagedShard(f"{path}: its byte offsets do not follow from its lengths; encode the shard again.")
    if not documents or indices[0] != 0 or indices[-1] != sequences or (np.diff(indices) < 0).any():
        raise DamagedShard(f"{path}: its document indices do not run from 0 to {sequences:,}; encode the shard again.")
    return dtype, lengths, offsets, indices


def _code(dtype: np.dtype[Any]) -> int:
    for code, known in CODES.items():
        if np.dtype(known) == dtype.newbyteorder("="):
            return code
    raise ValueError(f"{dtype}: token shards hold uint16 or int32 ids (the format has no other type that serves).")


def _sha256(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()
