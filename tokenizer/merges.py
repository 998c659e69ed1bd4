"""Byte-pair merges from counted pieces, the very ones that `tokenizers` learns from the text, in numpy.

The most frequent pair of neighbours becomes an entry, ties going to the pair of lower ids, until the vocabulary is full
(Sennrich et al. 2016). Two things keep this fast and small where a corpus is Chinese and most pieces occur once:

- Only pairs at or above a threshold are tracked, with their places; all others cannot be next. When the tracked ones run
  out, the threshold falls and one pass over the text finds the pairs above it.
- Counts of pairs are not kept up to date. A pair that comes to the top is counted again, on its places that still hold,
  and goes back where it has fallen: counts never rise, so the first that has not fallen is the most frequent.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Places = npt.NDArray[np.int32]
_FALL = 4  # the threshold falls by this factor
_HASH_BITS = 22
_GONE = -1

# Cost of merging by bytes of distinct pieces and entries, measured on English, Chinese and code (`tokenizer-train`).
_BYTES_BASE, _BYTES_EACH = 150 << 20, 36
_SECONDS_EACH, _SECONDS_ENTRY = 1.0e-6, 3.0e-4


@dataclass(frozen=True)
class Spelled:
    """Distinct pieces as symbols back to back: `symbols` int32 [n], `offsets` int64 [pieces + 1], `counts` int64 [pieces]."""

    symbols: npt.NDArray[np.int32]
    offsets: npt.NDArray[np.int64]
    counts: npt.NDArray[np.int64]


def learn_merges(
    pieces: Spelled,
    entries: Mapping[int, bytes],
    first_id: int,
    wanted: int,
    min_frequency: int = 2,
    progress: Callable[[int], None] = lambda merges: None,
) -> list[tuple[int, int, int]]:
    """Merges (left id, right id, id of the result) in the order in which they apply.

    entries: the bytes of each symbol that there is; first_id: the id of the first new one; wanted: how many to add at
    most (fewer where no pair is left that occurs `min_frequency` times); progress is called with the number added so far.
    """
    text = _Text(pieces)
    spelling = dict(entries)
    spelled = {raw: identity for identity, raw in spelling.items()}
    merges: list[tuple[int, int, int]] = []
    floor = max(1, min_frequency)
    threshold = text.highest()
    added = 0
    while added < wanted and threshold >= floor:
        threshold = max(floor, threshold // _FALL)
        pairs = _Pairs(text, threshold)
        while added < wanted and (pair := pairs.pop()) is not None:
            left, right, places = pair
            raw = spelling[left] + spelling[right]
            result = spelled.get(raw)
            if result is None:
                result = first_id + added
                spelled[raw], spelling[result] = result, raw
                added += 1
                places = text.merge(places, left == right, result)
            else:  # two ways to spell one entry: pairs with it may exist already, so all its places are looked at
                text.merge(places, left == right, result)
                places = text.places_of(result)
            merges.append((left, right, result))
            pairs.add(places, result)
            progress(added)
        if threshold == floor:
            break
    return merges


def expected_cost(size: int, vocabulary: int) -> tuple[int, float]:
    """About how many bytes of memory at the peak and seconds on one core it takes to merge `size` bytes of pieces."""
    return _BYTES_BASE + _BYTES_EACH * size, _SECONDS_EACH * size + _SECONDS_ENTRY * vocabulary


class _Text:
    """The pieces as chains of symbols: each place has a symbol, its neighbours (or -1) and the count of its piece."""

    def __init__(self, pieces: Spelled) -> None:
        lengths = np.diff(pieces.offsets)
        if len(pieces.symbols) >= 2**31:
            raise MemoryError(f"{len(pieces.symbols):,} symbols of distinct pieces; 2^31 is the limit: draw a smaller sample.")
        self.symbols = pieces.symbols.astype(np.int32)
        self.weights = np.repeat(pieces.counts, lengths)
        if len(self.weights) and int(pieces.counts.max()) < 2**31:
            self.weights = self.weights.astype(np.int32)
        self.next, self.previous = _chains(len(self.symbols), pieces.offsets[:-1][lengths > 0])

    def highest(self) -> int:
        """An upper bound of the count of any pair."""
        best = 0
        for _, bins in self._hashed():
            best = max(best, int(bins.max()))
        return best

    def frequent(self, threshold: int) -> dict[int, tuple[int, Places]]:
        """Every pair that occurs at least `threshold` times: key -> (count, places), after closing the gaps."""
        self._close_gaps()
        candidates = []
        for hashes, bins in self._hashed():
            places = np.flatnonzero(self.next >= 0).astype(np.int32)
            candidates.append(places[bins[hashes] >= threshold])
        places = np.concatenate(candidates) if candidates else np.zeros(0, np.int32)
        return _grouped(_keys(self.symbols[places], self.symbols[self.next[places]]), places, self.weights, threshold)

    def standing(self, left: int, right: int, places: Places) -> tuple[int, Places]:
        """How often a pair still occurs, and where, of the places where it once did."""
        follower = self.next[places]
        held = (self.symbols[places] == left) & (follower >= 0) & (self.symbols[follower] == right)
        if not held.all():
            places = places[held]
        return int(self.weights[places].sum(dtype=np.int64)), places

    def merge(self, places: Places, doubled: bool, result: int) -> Places:
        """Puts `result` in place of the pairs that begin at `places` (ascending); returns where it now stands.

        doubled: both symbols are the same, so pairs may overlap; in a run of them every second one is taken, from the
        left, as a reader would.
        """
        if doubled:
            places = _without_overlaps(places, self.next)
        follower = self.next[places]
        after = self.next[follower]
        self.symbols[places] = result
        self.symbols[follower] = _GONE
        self.next[places] = after
        has = after >= 0
        self.previous[after[has]] = places[has]
        return places

    def neighbours(self, places: Places, result: int) -> tuple[npt.NDArray[np.int64], Places]:
        """The pairs that all places of a symbol form: (keys, where each begins); each adjacency once."""
        before, after = self.previous[places], self.next[places]
        starts = before[before >= 0]
        has = after >= 0
        has[has] = self.symbols[after[has]] != result  # that adjacency is the next one's `before`
        begins, ends = places[has], after[has]
        left = _keys(self.symbols[starts], np.full(len(starts), result))
        right = _keys(np.full(len(begins), result), self.symbols[ends])
        return np.concatenate([left, right]), np.concatenate([starts, begins])

    def places_of(self, symbol: int) -> Places:
        return np.flatnonzero(self.symbols == symbol).astype(np.int32)

    def _hashed(self) -> list[tuple[npt.NDArray[Any], npt.NDArray[Any]]]:
        """A hash of each pair of neighbours, and the summed counts of each hash: a bound that spares most of the sorting."""
        places = np.flatnonzero(self.next >= 0)
        if not len(places):
            return []
        size = 1 << min(_HASH_BITS, len(places).bit_length() + 2)
        mask = np.uint32(size - 1)
        hashes = self.symbols[places].astype(np.uint32) * np.uint32(0x9E3779B1)
        hashes ^= self.symbols[self.next[places]].astype(np.uint32) * np.uint32(0x85EBCA77)
        hashes = ((hashes >> np.uint32(7)) ^ hashes) & mask
        bins = np.zeros(size)
        for start in range(0, len(places), 1 << 22):
            part = slice(start, start + (1 << 22))
            bins += np.bincount(hashes[part], self.weights[places[part]], size)
        return [(hashes, bins)]

    def _close_gaps(self) -> None:
        kept = np.flatnonzero(self.symbols != _GONE)
        if len(kept) == len(self.symbols):
            return
        begins = np.flatnonzero(self.previous[kept] < 0)
        self.symbols, self.weights = self.symbols[kept], self.weights[kept]
        self.next, self.previous = _chains(len(kept), begins)


class _Pairs:
    """The pairs at or above the threshold, the most frequent first."""

    def __init__(self, text: _Text, threshold: int) -> None:
        self._text, self._threshold = text, threshold
        self._places: dict[int, Places] = {}
        self._heap: list[tuple[int, int]] = []
        for key, (count, places) in text.frequent(threshold).items():
            self._places[key] = places
            self._heap.append((-count, key))
        heapq.heapify(self._heap)

    def pop(self) -> tuple[int, int, Places] | None:
        """The most frequent pair, taken out: (left, right, places); None where all are below the threshold."""
        while self._heap:
            negative, key = heapq.heappop(self._heap)
            if key not in self._places:
                continue
            left, right = key >> 32, key & 0xFFFFFFFF
            count, places = self._text.standing(left, right, self._places[key])
            if count == -negative:
                del self._places[key]
                return left, right, places
            if count >= self._threshold:
                self._places[key] = places
                heapq.heappush(self._heap, (-count, key))
            else:
                del self._places[key]
        return None

    def add(self, places: Places, result: int) -> None:
        """Takes in the pairs that a new symbol forms with its neighbours, where they are frequent enough."""
        keys, starts = self._text.neighbours(places, result)
        for key, (count, where) in _grouped(keys, starts, self._text.weights, self._threshold).items():
            self._places[key] = where
            heapq.heappush(self._heap, (-count, key))


def _grouped(
    keys: npt.NDArray[np.int64], places: Places, weights: npt.NDArray[Any], threshold: int
) -> dict[int, tuple[int, Places]]:
    """Places by key, ascending, for keys whose weights sum to `threshold` or more."""
    of_each = weights[places].astype(np.int64)
    if not len(keys) or int(of_each.sum()) < threshold:
        return {}
    order = np.lexsort((places, keys))
    keys, places = keys[order], places[order]
    begins = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
    counts = np.add.reduceat(of_each[order], begins)
    ends = np.append(begins[1:], len(keys))
    return {
        int(keys[begins[group]]): (int(counts[group]), places[begins[group] : ends[group]].copy())
        for group in np.flatnonzero(counts >= threshold).tolist()
    }


def _without_overlaps(places: Places, following: Places) -> Places:
    """Every second place of each run in which a pair begins where the one before it ends."""
    joined = np.concatenate([[False], following[places[:-1]] == places[1:]])
    numbers = np.arange(len(places))
    begin = np.maximum.accumulate(np.where(joined, 0, numbers))
    chosen: Places = places[(numbers - begin) % 2 == 0]
    return chosen


def _keys(left: npt.NDArray[Any], right: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    keys: npt.NDArray[np.int64] = (left.astype(np.int64) << 32) | right.astype(np.int64)
    return keys


def _chains(length: int, begins: npt.NDArray[Any]) -> tuple[Places, Places]:
    """Neighbours of each of `length` places in chains that begin at `begins`: (next, previous), -1 at the ends."""
    following = np.arange(1, length + 1, dtype=np.int32)
    previous = np.arange(-1, length - 1, dtype=np.int32)
    previous[begins] = -1
    following[begins[begins > 0] - 1] = -1
    if length:
        following[-1] = -1
    return following, previous
