"""Which documents of a bucket are worth comparing: each with the leaders so far, in the order of ranks.

A bucket holds the documents that share a band. Comparing all with all would take (10**5)**2 steps in the buckets that
templates and mirrors make. So, in the order of ranks, a document is compared with the bucket's leaders; it is paired with
those that its sketch puts within reach of the threshold (the `partners` most alike, where they are more), and becomes a
leader itself unless one of them is surely near. The sketch only chooses pairs here: what decides is the true Jaccard, later.

Two margins, in standard deviations of the estimate at the threshold: a pair is passed on from 3 below it (one near pair in
a thousand is lost there, fewer above), and a document is surely near from 2.5 above it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from datapipe.config import DedupDocumentsConfig
from datapipe.dedup.minhash import deviation, estimate
from datapipe.dedup.rank import SIZE

Bytes = NDArray[np.uint8]
Words = NDArray[np.uint64]


@dataclass(frozen=True)
class Reach:
    """From which estimate on a pair is passed on, from which it is surely near; how many leaders a bucket may have, and
    with how many of them a document is paired; how many permutations the sketches stand for."""

    pair: float
    near: float
    leaders: int
    partners: int
    permutations: int

    @classmethod
    def of(cls, config: DedupDocumentsConfig) -> Reach:
        spread = deviation(config.threshold, config.permutations)
        pair, near = config.threshold - 3 * spread, config.threshold + 2.5 * spread
        return cls(pair, near, config.leaders, config.partners, config.permutations)


@dataclass
class _Bucket:
    """The leaders of a bucket that goes on in the next batch."""

    band: int
    ranks: list[Bytes] = field(default_factory=list)
    sketches: list[Words] = field(default_factory=list)


@dataclass(frozen=True)
class Met:
    """Pairs worth verifying, leader and member rank [P, 29] each; and the ranks [O, 29] that found no room as leaders."""

    leader: Bytes
    member: Bytes
    overflow: Bytes


@dataclass
class _Found:
    """What has been found in a batch so far."""

    leaders: list[Bytes] = field(default_factory=list)
    members: list[Bytes] = field(default_factory=list)
    overflow: list[Bytes] = field(default_factory=list)

    def met(self) -> Met:
        return Met(_stacked(self.leaders), _stacked(self.members), _stacked(self.overflow))


class Meeting:
    """Goes through the rows of many buckets, sorted by (band, rank), in batches of any size; holds leaders only."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._open: _Bucket | None = None

    def batch(self, bands: NDArray[np.int64], ranks: Bytes, sketches: Words) -> Met:
        """The pairs found among these rows (and leaders met before): bands [N], ranks [N, 29], sketches [N, K/16]."""
        found = _Found()
        if not len(bands):
            return found.met()
        starts = np.flatnonzero(np.concatenate([[True], bands[1:] != bands[:-1]]))
        stops = np.append(starts[1:], len(bands))
        # The first bucket may have begun in an earlier batch and the last may go on in the next: those two are walked.
        # The others are first compared with their best document, all at once, which settles nearly all of them.
        whole = np.ones(len(starts), np.bool_)
        whole[0] = whole[-1] = False
        settled = self._against_first(starts, stops, whole, ranks, sketches, found)
        for index in np.flatnonzero(~settled):
            rows = slice(int(starts[index]), int(stops[index]))
            band = int(bands[rows.start])
            if self._open is None or self._open.band != band:
                self._open = _Bucket(band)
            self._walk(self._open, ranks[rows], sketches[rows], found)
        return found.met()

    def _against_first(
        self, starts: NDArray[np.int64], stops: NDArray[np.int64], whole: NDArray[np.bool_], ranks: Bytes, sketches: Words,
        found: _Found,
    ) -> NDArray[np.bool_]:  # fmt: skip
        """Compares the rows of whole buckets with their first; which buckets [B] are done with: those in which every row is
        surely near to the first, and those without a third row."""
        sizes = stops - starts
        buckets = np.flatnonzero(whole & (sizes > 1))
        rest = sizes[buckets] - 1
        first = np.repeat(starts[buckets], rest)
        row = first + 1 + np.arange(len(first)) - np.repeat(np.cumsum(rest) - rest, rest)
        likeness = estimate(sketches[first], sketches[row], self._reach.permutations)
        far = np.zeros(len(starts), np.int64)
        np.add.at(far, np.repeat(buckets, rest), likeness < self._reach.near)
        settled: NDArray[np.bool_] = whole & ((sizes <= 2) | (far == 0))
        paired = (likeness >= self._reach.pair) & np.repeat(settled[buckets], rest)
        found.leaders.append(ranks[first[paired]])
        found.members.append(ranks[row[paired]])
        return settled

    def _walk(self, bucket: _Bucket, ranks: Bytes, sketches: Words, found: _Found) -> None:
        """Compares the rows of one bucket with its leaders, old and new: one vector operation for each leader."""
        near = np.zeros(len(ranks), np.bool_)  # surely near a leader, so no leader themselves
        pairs: list[tuple[int, NDArray[np.int64], NDArray[np.float64]]] = []
        lead = waiting = 0
        while True:
            if lead == len(bucket.ranks):  # every leader has been shown to every row: the first open row is the next
                rest = np.flatnonzero(~near[waiting:])
                if not len(rest):
                    break
                if lead == self._reach.leaders:
                    found.overflow.append(ranks[waiting:][rest])
                    break
                row = waiting + int(rest[0])
                bucket.ranks.append(ranks[row].copy())
                bucket.sketches.append(sketches[row].copy())
                waiting = row + 1
            likeness = estimate(bucket.sketches[lead], sketches[waiting:], self._reach.permutations)
            close = np.flatnonzero(likeness >= self._reach.pair)
            if len(close):
                pairs.append((lead, waiting + close, likeness[close]))
                near[waiting:] |= likeness >= self._reach.near
            lead += 1
        if pairs:
            leaders, rows = self._partners(pairs)
            found.leaders.append(np.stack(bucket.ranks)[leaders])
            found.members.append(ranks[rows])

    def _partners(
        self, pairs: list[tuple[int, NDArray[np.int64], NDArray[np.float64]]]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(leader, row) of these pairs; of a row with more than `partners` the most alike, among equals the better ranked."""
        leaders = np.repeat([lead for lead, _, _ in pairs], [len(rows) for _, rows, _ in pairs])
        rows, likeness = (np.concatenate(part) for part in list(zip(*pairs, strict=True))[1:])
        if len(pairs) > self._reach.partners:
            order = np.lexsort((leaders, -likeness, rows))
            leaders, rows = leaders[order], rows[order]
            begins = np.flatnonzero(np.diff(rows, prepend=-1))
            place = np.arange(len(rows)) - np.repeat(begins, np.diff(np.append(begins, len(rows))))
            chosen = place < self._reach.partners
            leaders, rows = leaders[chosen], rows[chosen]
        return leaders, rows


def _stacked(parts: list[Bytes]) -> Bytes:
    rows: Iterator[Bytes] = (np.atleast_2d(part) for part in parts)
    filled = [part for part in rows if part.size]
    return np.concatenate(filled) if filled else np.zeros((0, SIZE), np.uint8)
