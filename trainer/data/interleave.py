"""Which domain the n-th sequence belongs to: weights turned into a fixed order that can be entered anywhere."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


class Interleave:
    """Domains spread as evenly as their weights allow.

    The j-th sequence of a domain with weight w is due at time (j + 1/2) / w, and the order is that of these times (ties
    go to the domain named first). So the count of a domain after n sequences stays within 1/2 + w D/2 of w n for D
    domains: every stretch of the run has the mix, where draws at random would stray by the root of n. Any stretch can
    be computed without the ones before it, which makes the order the same for every restart and layout.
    """

    def __init__(self, weights: Sequence[float]) -> None:
        array = np.asarray(weights, np.float64)
        if not len(array) or not (array > 0).all():
            raise ValueError(f"weights {list(weights)} must be positive, one for each domain.")
        self.weights = array / array.sum()

    def take(self, start: int, count: int) -> tuple[Ints, Ints]:
        """Sequences start .. start + count: (domain of each [count], its number within that domain [count])."""
        slack = len(self.weights)  # at time t, between t - D/2 and t + D/2 sequences are due
        first = self._due(max(0.0, float(start - slack)))
        last = self._due(float(start + count + slack))
        domains = np.repeat(np.arange(len(first)), last - first)
        numbers = np.concatenate([np.arange(a, b) for a, b in zip(first, last, strict=True)])
        order = np.lexsort((domains, (numbers + 0.5) / self.weights[domains]))
        skip = start - int(first.sum())
        chosen = order[skip : skip + count]
        return domains[chosen], numbers[chosen]

    def counts(self, sequences: int) -> Ints:
        """How many of the first `sequences` belong to each domain [D]."""
        counts = self._due(max(0.0, float(sequences - len(self.weights))))
        reached = int(counts.sum())
        domains, _ = self.take(reached, sequences - reached)
        total: Ints = counts + np.bincount(domains, minlength=len(counts))
        return total

    def _due(self, time: float) -> Ints:
        """Sequences of each domain that are due by `time` (inclusive), exact in the float times that `take` sorts."""
        counts: Ints = np.maximum(0, np.floor(self.weights * time + 0.5)).astype(np.int64)
        while (late := (counts > 0) & ((counts - 0.5) / self.weights > time)).any():
            counts = counts - late
        while (early := (counts + 0.5) / self.weights <= time).any():
            counts = counts + early
        return counts
