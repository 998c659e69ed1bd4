"""The true Jaccard of pairs, on stored shingle hashes: what the sketches proposed is measured here.

A pair is measured where its member lies. So each leader's hashes travel once to each shard that has members of it, however
many they are: a template with 10**5 copies sends one set to each shard. A task holds the hashes of its own shard's members,
so its memory is that of a shard.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from core import storage
from datapipe.dedup.index import Place
from datapipe.dedup.shingles import jaccard

SETS = pa.schema([("target", pa.int32()), ("leader", pa.binary()), ("shingles", pa.binary())])
EDGES = pa.schema([("leader", pa.binary()), ("member", pa.binary()), ("likeness", pa.float64())])
_DOCUMENTS = 1000  # sets read at once
_ID = slice(13, 29)  # where a rank holds the document's id


def gather(batches: Iterator[pa.RecordBatch], places: Sequence[Place]) -> Iterator[pa.RecordBatch]:
    """The shingle hashes of leaders, a row for each shard that asks for them: from rows (place, leader, target) of which a
    task has all that name the same file."""
    wanted: dict[int, dict[bytes, tuple[bytes, list[int]]]] = {}
    for batch in batches:
        columns = (batch.column(name).to_pylist() for name in ("place", "leader", "target"))
        for place, leader, target in zip(*columns, strict=True):
            wanted.setdefault(place, {}).setdefault(leader[_ID], (leader, []))[1].append(target)
    for place, leaders in wanted.items():
        with storage.open_uri(places[place].signatures) as handle:
            for part in pq.ParquetFile(handle).iter_batches(_DOCUMENTS, columns=["rank", "shingles"]):
                yield _addressed(part, leaders)


def _addressed(part: pa.RecordBatch, leaders: dict[bytes, tuple[bytes, list[int]]]) -> pa.RecordBatch:
    rows: list[int] = []
    ranks: list[bytes] = []
    targets: list[int] = []
    for row, rank in enumerate(part.column("rank").to_pylist()):
        leader, own = leaders.get(rank[_ID], (rank, []))
        rows += [row] * len(own)
        ranks += [leader] * len(own)
        targets += own
    sets = part.column("shingles").take(pa.array(rows, pa.int64()))
    return pa.RecordBatch.from_arrays([pa.array(targets, pa.int32()), pa.array(ranks, pa.binary()), sets], schema=SETS)


class Members:
    """The pairs of one shard, and the shingle hashes of their members."""

    def __init__(self, signatures: str, pairs: str) -> None:
        """`signatures`: the shard's file; `pairs`: the folder with its pairs."""
        tables = []
        for info in storage.listing(pairs):
            if info.uri.endswith(".parquet"):
                with storage.open_uri(info.uri) as handle:
                    tables.append(pq.ParquetFile(handle).read(["leader", "member"]))
        table = pa.concat_tables(tables)
        table = table.filter(pc.is_valid(table.column("leader"))).sort_by([("leader", "ascending"), ("member", "ascending")])
        members, leaders = (table.column(name).combine_chunks() for name in ("member", "leader"))
        known = pc.unique(members)
        self._ranks: pa.BinaryArray = members
        self._leaders: dict[bytes, slice] = {}
        runs = pc.run_end_encode(leaders)
        begin = 0
        for leader, end in zip(runs.values.to_pylist(), runs.run_ends.to_pylist(), strict=True):
            self._leaders[leader] = slice(begin, end)
            begin = end
        with storage.open_uri(signatures) as handle:
            held = [
                part.filter(pc.is_in(part.column("rank"), known))
                for part in pq.ParquetFile(handle).iter_batches(_DOCUMENTS, columns=["rank", "shingles"])
            ]
        own = pa.Table.from_batches(held)
        self._rows = pc.index_in(members, own.column("rank").combine_chunks()).to_numpy(zero_copy_only=False)
        self._sets = [hashes(value) for value in own.column("shingles")]

    def near(self, leader: bytes, own: NDArray[np.uint32], threshold: float) -> Iterator[tuple[bytes, bytes, float]]:
        """(leader, member, Jaccard) of this leader's members, given its hashes, where that reaches the threshold."""
        span = self._leaders[leader]
        for place in range(span.start, span.stop):
            theirs = self._sets[self._rows[place]]
            if _may_reach(len(own), len(theirs), threshold) and (likeness := jaccard(own, theirs)) >= threshold:
                yield leader, self._ranks[place].as_py(), likeness


def verify(
    batches: Iterator[pa.RecordBatch], places: Sequence[Place], pairs: str, threshold: float
) -> Iterator[pa.RecordBatch]:
    """The pairs that are near enough, from what `gather` gives, of which a task has all rows of a target (one target after
    another); `pairs` is the folder of the pairs, by shard."""
    target, members = -1, None
    for batch in batches:
        found: list[tuple[bytes, bytes, float]] = []
        columns = (batch.column(name).to_pylist() for name in ("target", "leader"))
        for row, (shard, leader) in enumerate(zip(*columns, strict=True)):
            if members is None or shard != target:
                target, members = shard, Members(places[shard].signatures, storage.join(pairs, f"shard={shard}"))
            found += members.near(leader, hashes(batch.column("shingles")[row]), threshold)
        if found:
            yield pa.RecordBatch.from_arrays([pa.array(part) for part in zip(*found, strict=True)], schema=EDGES)


def _may_reach(one: int, other: int, threshold: float) -> bool:
    """Sets of too different sizes cannot be near: J <= smaller / larger."""
    return min(one, other) >= threshold * max(one, other)


def hashes(value: pa.BinaryScalar) -> NDArray[np.uint32]:
    """The hashes in a binary value of a shingle column."""
    buffer = value.as_buffer()
    return np.frombuffer(buffer, np.uint32) if buffer is not None else np.zeros(0, np.uint32)
