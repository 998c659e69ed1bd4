"""The true Jaccard of pairs, on stored shingle hashes: what the signatures proposed is measured here."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from datapipe.dedup.shingles import jaccard

EDGES = pa.schema([("leader", pa.binary()), ("member", pa.binary()), ("likeness", pa.float64())])


def verify(batches: Iterator[pa.RecordBatch], threshold: float) -> Iterator[pa.RecordBatch]:
    """The pairs that are near enough, from rows (leader, member, shingles) sorted by leader, then member.

    A leader's own row (member = leader) comes first in its group, since a rank precedes those of its members; only its
    set is held. `shingles` are the sorted 32-bit hashes of the member, as bytes.
    """
    leader, held = b"", np.zeros(0, np.uint32)
    for batch in batches:
        leaders, members = batch.column("leader").to_pylist(), batch.column("member").to_pylist()
        column = batch.column("shingles")
        found: list[tuple[bytes, bytes, float]] = []
        for row, (first, second) in enumerate(zip(leaders, members, strict=True)):
            hashes = shingles(column[row])
            if first == second:
                leader, held = first, hashes.copy()
                continue
            if first != leader:
                raise RuntimeError("dedup_documents: a pair came before the shingles of its leader.")
            if _may_reach(len(held), len(hashes), threshold) and (likeness := jaccard(held, hashes)) >= threshold:
                found.append((first, second, likeness))
        if found:
            yield pa.RecordBatch.from_arrays([pa.array(part) for part in zip(*found, strict=True)], schema=EDGES)


def _may_reach(one: int, other: int, threshold: float) -> bool:
    """Sets of too different sizes cannot be near: J <= smaller / larger."""
    return min(one, other) >= threshold * max(one, other)


def shingles(value: pa.BinaryScalar) -> NDArray[np.uint32]:
    """The hashes in a binary value of a shingle column."""
    buffer = value.as_buffer()
    return np.frombuffer(buffer, np.uint32) if buffer is not None else np.zeros(0, np.uint32)
