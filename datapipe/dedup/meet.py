"""Which documents of a bucket are worth comparing: each with the leaders so far, in the order of ranks.

A bucket holds the documents that share a band. Comparing all with all would take (10**5)**2 steps in the buckets that
templates and mirrors make. So, in the order of ranks, a document is compared with the bucket's leaders; it is paired with
those that its signature puts within reach of the threshold, and becomes a leader itself unless one of them is surely near.
The signature only chooses pairs here: what decides is the true Jaccard, later.

Two margins, in standard deviations of the estimate at the threshold t, sqrt(t (1 - t) / permutations): a pair is passed
on from 3 below it (one near pair in a thousand is lost there, fewer above), and a document is surely near from 2.5 above it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from datapipe.dedup.minhash import estimate
from datapipe.dedup.rank import SIZE

Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class Reach:
    """From which estimate on a pair is passed on, from which it is surely near, and how many leaders a bucket may have."""

    pair: float
    near: float
    leaders: int

    @classmethod
    def of(cls, threshold: float, permutations: int, leaders: int) -> Reach:
        deviation = math.sqrt(threshold * (1 - threshold) / permutations)
        return cls(threshold - 3 * deviation, threshold + 2.5 * deviation, leaders)


@dataclass
class _Bucket:
    """The leaders of a bucket that goes on in the next batch."""

    band: int
    ranks: list[Bytes] = field(default_factory=list)
    signatures: list[Bytes] = field(default_factory=list)


@dataclass(frozen=True)
class Met:
    """Pairs worth verifying, leader and member rank [P, 29] each; and the ranks [O, 29] that found no room as leaders."""

    leader: Bytes
    member: Bytes
    overflow: Bytes


class Meeting:
    """Goes through the rows of many buckets, sorted by (band, rank), in batches of any size; holds leaders only."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._open: _Bucket | None = None

    def batch(self, bands: NDArray[np.int64], ranks: Bytes, signatures: Bytes) -> Met:
        """The pairs found among these rows (and leaders met before): bands [N], ranks [N, 29], signatures [N, K] bytes."""
        starts = np.flatnonzero(np.concatenate([[True], bands[1:] != bands[:-1]])) if len(bands) else np.zeros(0, np.int64)
        stops = np.append(starts[1:], len(bands))
        pairs: list[tuple[Bytes, Bytes]] = []
        overflow: list[Bytes] = []
        # The first bucket may have begun in an earlier batch, the last may go on in the next: those two, and the few
        # with three members or more, are walked; buckets of two are compared all at once.
        whole = np.ones(len(starts), np.bool_)
        whole[:1] = whole[-1:] = False
        sizes = stops - starts
        twos = starts[whole & (sizes == 2)]
        if len(twos):
            likeness = estimate(signatures[twos], signatures[twos + 1])
            found = twos[likeness >= self._reach.pair]
            pairs.append((ranks[found], ranks[found + 1]))
        for index in np.flatnonzero(~whole | (sizes > 2)):
            rows = slice(int(starts[index]), int(stops[index]))
            band = int(bands[rows.start])
            if self._open is None or self._open.band != band:
                self._open = _Bucket(band)
            self._walk(self._open, ranks[rows], signatures[rows], pairs, overflow)
        return Met(_stacked([pair[0] for pair in pairs]), _stacked([pair[1] for pair in pairs]), _stacked(overflow))

    def _walk(
        self, bucket: _Bucket, ranks: Bytes, signatures: Bytes, pairs: list[tuple[Bytes, Bytes]], overflow: list[Bytes]
    ) -> None:
        """Compares the rows of one bucket with its leaders, old and new: one vector operation for each leader."""
        settled = np.zeros(len(ranks), np.bool_)  # surely near a leader, so no leader themselves
        lead = 0
        waiting = 0
        while True:
            if lead == len(bucket.ranks):  # every leader has been shown to every row: the first unsettled row is the next
                rest = np.flatnonzero(~settled[waiting:])
                if not len(rest):
                    return
                row = waiting + int(rest[0])
                if lead == self._reach.leaders:
                    overflow.append(ranks[waiting:][rest])
                    return
                bucket.ranks.append(ranks[row].copy())
                bucket.signatures.append(signatures[row].copy())
                waiting = row + 1
            likeness = estimate(bucket.signatures[lead], signatures[waiting:])
            found = waiting + np.flatnonzero(likeness >= self._reach.pair)
            if len(found):
                pairs.append((np.broadcast_to(bucket.ranks[lead], (len(found), ranks.shape[1])), ranks[found]))
            settled[waiting:] |= likeness >= self._reach.near
            lead += 1


def _stacked(parts: list[Bytes]) -> Bytes:
    rows: Iterator[Bytes] = (np.atleast_2d(part) for part in parts)
    filled = [part for part in rows if part.size]
    return np.concatenate(filled) if filled else np.zeros((0, SIZE), np.uint8)
