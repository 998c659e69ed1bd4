"""Documents as sets of shingle hashes: what their likeness (Jaccard) is defined on.

A shingle is a run of n units: words in spaced languages, characters in Chinese and Japanese (a text is counted in
characters where most of its units are single characters). A text shorter than n is one shingle, itself, so that copies of
a short text still meet. A shingle is kept as 32 bits of its hash: two sets of a million shingles share by chance about
one in four thousand, far below what a threshold on Jaccard can notice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from datapipe.dedup.units import Hashes, Offsets, Units, ngrams, runs_of, sequence_hashes, units


@dataclass(frozen=True)
class ShingleSets:
    """Sorted, distinct 32-bit shingle hashes of documents, one after another: hashes [S] uint32, offsets [D+1] int64."""

    hashes: NDArray[np.uint32]
    offsets: Offsets

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, document: int) -> NDArray[np.uint32]:
        return self.hashes[self.offsets[document] : self.offsets[document + 1]]


def shingle_sets(texts: Sequence[str | None], words: int, characters: int) -> ShingleSets:
    """The shingle set of each text: runs of `words` words, or of `characters` characters in unspaced scripts."""
    cut = units(texts)
    unspaced = cut.unspaced()
    owner, hashes = [], []
    for length, chosen in ((words, ~unspaced), (characters, unspaced)):
        if words == characters:
            chosen = np.ones(len(cut), np.bool_)
        if chosen.any():
            documents, values = _shingles(cut, length, chosen)
            owner.append(documents)
            hashes.append(values)
        if words == characters:
            break
    if not owner:
        return ShingleSets(np.zeros(0, np.uint32), np.zeros(len(cut) + 1, np.int64))
    keys = np.concatenate(owner) << np.uint64(32)
    keys |= np.concatenate(hashes) >> np.uint64(32)
    keys.sort()
    keys = keys[np.concatenate([[True], keys[1:] != keys[:-1]])] if len(keys) else keys
    offsets = np.searchsorted(keys, np.arange(len(cut) + 1, dtype=np.uint64) << np.uint64(32)).astype(np.int64)
    return ShingleSets(keys.astype(np.uint32), offsets)


def _shingles(cut: Units, length: int, chosen: NDArray[np.bool_]) -> tuple[Hashes, Hashes]:
    """Owner and hash of each run of `length` units in the chosen documents; a shorter document is one run."""
    document, places = runs_of(cut, length, chosen)
    owner = document.astype(np.uint64)
    rolled = ngrams(cut.hashes, length)[places]
    counts = np.where(chosen, cut.counts, 0)
    short = np.flatnonzero((counts > 0) & (counts < length))
    if len(short):
        runs = np.stack([cut.offsets[short], cut.offsets[short + 1]], axis=1)
        pieces = np.concatenate([cut.hashes[begin:end] for begin, end in runs])
        bounds = np.concatenate([[0], np.cumsum(runs[:, 1] - runs[:, 0])])
        owner = np.concatenate([owner, short.astype(np.uint64)])
        rolled = np.concatenate([rolled, sequence_hashes(pieces, bounds)])
    return owner, rolled


def jaccard(one: NDArray[np.uint32], other: NDArray[np.uint32]) -> float:
    """Shared share of two sorted sets of distinct hashes: |A and B| / |A or B|; 0 where both are empty."""
    if not len(one) or not len(other):
        return 0.0
    small, large = (one, other) if len(one) <= len(other) else (other, one)
    found = np.searchsorted(large, small)
    shared = int(np.count_nonzero(large[np.minimum(found, len(large) - 1)] == small))
    return shared / (len(one) + len(other) - shared)
