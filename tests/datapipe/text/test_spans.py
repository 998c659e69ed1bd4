"""Counting over ranges, empty ones included."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from datapipe.text.spans import Spans, ratio


@st.composite
def cases(draw: st.DrawFn) -> tuple[Spans, np.ndarray]:
    bounds = sorted(draw(st.lists(st.integers(0, 20), max_size=10)))
    bounds = bounds[: len(bounds) // 2 * 2]
    values = np.array(draw(st.lists(st.integers(-5, 5), min_size=20, max_size=20)))
    return Spans(np.array(bounds[::2], np.int64), np.array(bounds[1::2], np.int64)), values


@given(cases())
def test_sums_counts_and_maxima_are_those_of_slices(case: tuple[Spans, np.ndarray]) -> None:
    spans, values = case
    slices = [values[start:end] for start, end in zip(spans.starts, spans.ends, strict=True)]
    assert spans.sum(values).tolist() == [int(part.sum()) for part in slices]
    assert spans.count(values > 0).tolist() == [int((part > 0).sum()) for part in slices]
    assert spans.count_at(np.flatnonzero(values > 0)).tolist() == [int((part > 0).sum()) for part in slices]
    assert spans.max(values, empty=-9).tolist() == [int(part.max()) if len(part) else -9 for part in slices]


def test_inner_ranges_are_given_to_the_range_they_begin_in() -> None:
    lines = Spans(np.array([0, 10]), np.array([9, 20]))
    words = Spans(np.array([0, 4, 12]), np.array([3, 8, 15]))
    assert lines.of(words).lengths.tolist() == [2, 1]
    assert lines.owner(np.array([0, 8, 10, 19])).tolist() == [0, 0, 1, 1]


def test_nothing_over_nothing_is_no_fault() -> None:
    assert ratio(np.array([1, 0, 3]), np.array([2, 0, 0])).tolist() == [0.5, 0.0, 0.0]
