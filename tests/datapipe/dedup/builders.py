"""Sets of numbers as shingle sets, for the tests of what is made from shingles."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from datapipe.dedup.shingles import ShingleSets

SETS = st.lists(st.sets(st.integers(0, 2**32 - 1), max_size=40), min_size=1, max_size=8)


def stored(sets: list[set[int]]) -> ShingleSets:
    flat = [value for entry in sets for value in sorted(entry)]
    return ShingleSets(np.array(flat, np.uint32), np.cumsum([0] + [len(entry) for entry in sets]))
