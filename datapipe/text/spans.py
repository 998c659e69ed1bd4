"""Half-open ranges of an array (words of a text, lines of a document) and what can be counted over them at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Spans:
    """Ranges [start, end) of some array, in ascending order and not overlapping; any may be empty."""

    starts: Ints  # [spans]
    ends: Ints  # [spans]

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def lengths(self) -> Ints:
        return self.ends - self.starts

    def count(self, mask: Bools) -> Ints:
        """How many elements of a boolean array are true in each span, int64 [spans]."""
        total = np.zeros(len(mask) + 1, np.int32)  # a view is far below 2**31 characters
        np.cumsum(mask, dtype=np.int32, out=total[1:])
        return (total[self.ends] - total[self.starts]).astype(np.int64)

    def count_at(self, positions: Ints) -> Ints:
        """How many of some ascending positions lie in each span; faster than `count` where they are few."""
        return np.searchsorted(positions, self.ends) - np.searchsorted(positions, self.starts)

    def sum(self, values: np.ndarray) -> np.ndarray:
        """The sum of a numeric array over each span, in the array's own kind (integers stay exact) [spans]."""
        total = np.zeros(len(values) + 1, np.float64 if values.dtype.kind == "f" else np.int64)
        np.cumsum(values, dtype=total.dtype, out=total[1:])
        return total[self.ends] - total[self.starts]

    def max(self, values: np.ndarray, empty: float = 0) -> np.ndarray:
        """The largest value of a numeric array in each span; `empty` for empty spans [spans]."""
        result = np.full(len(self), empty, values.dtype)
        filled = np.flatnonzero(self.ends > self.starts)
        if len(filled):
            bounds = np.stack([self.starts[filled], self.ends[filled]], axis=1).ravel()
            padded = np.append(values, values[-1:])  # reduceat wants every index inside the array
            result[filled] = np.maximum.reduceat(padded, bounds)[::2]
        return result

    def owner(self, positions: Ints) -> Ints:
        """The span that each position lies in; positions must lie in one (or between: the span before it) [positions]."""
        return np.searchsorted(self.starts, positions, side="right") - 1

    def of(self, inner: Spans) -> Spans:
        """The spans of these ranges over the sequence of `inner` ranges: the words of each line, the lines of each page."""
        return Spans(np.searchsorted(inner.starts, self.starts), np.searchsorted(inner.starts, self.ends))


def ratio(part: np.ndarray, whole: np.ndarray) -> Floats:
    """part / whole, float64, and 0 where there is nothing to divide by: an empty document breaks no upper bound."""
    shares = np.zeros(len(part), np.float64)
    np.divide(part, whole, out=shares, where=np.asarray(whole) > 0)
    return shares
