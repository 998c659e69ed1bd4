"""Repeated word n-grams within documents, counted on hashes for a whole batch at once.

An n-gram can repeat only where both its (n-1)-grams repeat, so each length looks only at the places that the shorter one
left, and only bigrams are ever sorted in full. Sorting packs the hash and the position into one 64-bit number, because numpy
sorts plain numbers several times faster than it sorts with positions.
"""

from __future__ import annotations

import numpy as np

from datapipe.text.characters import mix
from datapipe.text.spans import Spans, ratio

_STEP = np.uint64(0xD6E8_FEB8_6659_FD93)


class Ngrams:
    """n-grams of the words of some documents; lengths are worked out in ascending order when first asked for."""

    def __init__(self, hashes: np.ndarray, sizes: np.ndarray, documents: Spans) -> None:
        """`hashes` uint64 [words], `sizes` characters of each word [words], `documents` the words of each document."""
        self._hashes = hashes
        self._sizes = sizes
        self._documents = documents
        self._document_of = np.repeat(np.arange(len(documents)), documents.lengths)
        self._characters = documents.sum(sizes)
        self._size_before = np.concatenate([[0], np.cumsum(sizes)])
        self._bits = np.uint64(max(1, len(hashes)).bit_length())
        self._length = 1
        # Salted with the document, so that what two documents share is no repetition
        self._grams = hashes ^ mix(self._document_of.astype(np.uint64))
        self._repeats = np.ones(len(hashes), bool)
        if len(hashes):
            self._repeats[documents.ends[documents.lengths > 0] - 1] = False  # no bigram begins at a last word
        self._top: dict[int, np.ndarray] = {}
        self._duplicated: dict[int, np.ndarray] = {}

    def top(self, n: int) -> np.ndarray:
        """Share of word characters in the most frequent n-gram, 0 where none repeats, float64 in [0, 1] [documents].

        Of equally frequent ones the longest counts. Occurrences may overlap ("ha ha ha ha"); the share stops at 1.
        """
        self._reach(n)
        return self._top[n]

    def duplicated(self, n: int) -> np.ndarray:
        """Share of word characters that lie in a second or later occurrence of an n-gram, float64 in [0, 1] [documents].

        Each character counts once however many n-grams cover it (Rae et al. 2021, A1.1: "taking care not to count
        characters that occur in overlapping n-grams more than once"); first occurrences do not count.
        """
        self._reach(n)
        return self._duplicated[n]

    def _reach(self, n: int) -> None:
        if n < 2:
            raise ValueError(f"n-grams of {n} words: n must be 2 or more.")
        while self._length < n:
            self._extend()

    def _extend(self) -> None:
        n = self._length = self._length + 1
        repeats = self._repeats
        at = np.flatnonzero(repeats) if n == 2 else np.flatnonzero(repeats[:-1] & repeats[1:])
        grams = mix(self._grams[at] * _STEP + self._hashes[at + n - 1])
        self._grams[at] = grams
        packed = (grams << self._bits) | at.astype(np.uint64)
        packed.sort()
        same = (packed[1:] >> self._bits) == (packed[:-1] >> self._bits)
        later = np.concatenate([[False], same]) if len(packed) else np.zeros(0, bool)
        member = later.copy()
        member[:-1] |= same
        positions = (packed & ((np.uint64(1) << self._bits) - np.uint64(1))).astype(np.int64)
        groups = positions[member]
        self._top[n] = self._most_frequent(groups, np.flatnonzero(~later[member]), n)
        self._duplicated[n] = self._covered(positions[later], n)
        self._repeats = np.zeros(len(repeats), bool)
        self._repeats[groups] = True

    def _most_frequent(self, groups: np.ndarray, begins: np.ndarray, n: int) -> np.ndarray:
        """`groups`: positions of repeated n-grams, equal ones together; `begins`: where in it each group begins."""
        best = np.zeros(len(self._documents), np.int64)
        if len(begins):
            first = groups[begins]
            counts = np.diff(np.append(begins, len(groups)))
            sizes = self._size_before[first + n] - self._size_before[first]
            np.maximum.at(best, self._document_of[first], (counts << 32) | sizes)
        return np.minimum(1.0, ratio((best >> 32) * (best & 0xFFFF_FFFF), self._characters))

    def _covered(self, positions: np.ndarray, n: int) -> np.ndarray:
        if not len(positions):
            return np.zeros(len(self._documents))
        change = np.zeros(len(self._sizes) + 1, np.int32)
        change[positions] += 1
        change[positions + n] -= 1
        inside = np.cumsum(change[:-1]) > 0
        return ratio(self._documents.sum(np.where(inside, self._sizes, 0)), self._characters)
