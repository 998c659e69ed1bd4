"""Curves as drawings: nothing that matters is lost on the way from a long log to a few hundred points."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from report.chart import chart, series, short

_FLOATS = st.floats(-1e6, 1e6)


def test_a_single_spike_in_a_long_log_stays_visible() -> None:
    values = [(float(step), 50.0 if step == 70_001 else 1.0) for step in range(100_000)]
    line = series("gradient norm", values, points=300)
    assert len(line.points) <= 300
    assert max(point.high for point in line.points) == 50.0


def test_a_loss_that_was_not_a_number_leaves_no_mark() -> None:
    line = series("loss", [(1, 2.0), (2, math.nan), (3, math.inf), (4, 1.0)])
    assert [point.x for point in line.points] == [1, 4]


@given(st.lists(st.tuples(_FLOATS, _FLOATS), min_size=1, max_size=60), st.booleans())
def test_every_curve_lies_inside_its_drawing(values: list[tuple[float, float]], logarithmic: bool) -> None:
    drawn = chart("t", "u", [series("s", values)], logarithmic=logarithmic)
    if drawn.empty:
        assert logarithmic and min(y for _, y in values) <= 0
        return
    path = drawn.curves[0].line
    places = [float(part) for part in path.replace("M", " ").replace("L", " ").split()]
    assert all(0 <= place <= 1000 for place in places)
    assert all(-0.01 <= tick.at <= 100.01 for tick in [*drawn.x_ticks, *drawn.y_ticks])


def test_nothing_to_draw_is_an_empty_chart() -> None:
    assert chart("t", "u", [series("s", [])]).empty


def test_marks_stand_at_their_place_on_the_x_axis_and_nowhere_else() -> None:
    drawn = chart("t", "u", [series("s", [(100, 3.0), (300, 2.0)])], marks=[50, 150, 300])
    assert drawn.marks == [250.0, 1000.0]


def test_ticks_are_round() -> None:
    drawn = chart("t", "u", [series("s", [(0, 3.1), (200, 9.7)])])
    assert [tick.label for tick in drawn.y_ticks] == ["4", "6", "8", "10"]
    assert [tick.label for tick in drawn.x_ticks] == ["0", "50", "100", "150", "200"]


@pytest.mark.parametrize(("value", "label"), [(0, "0"), (1500, "1.5k"), (2e12, "2T"), (0.00015, "0.00015"), (-3, "-3")])
def test_tick_labels_are_short(value: float, label: str) -> None:
    assert short(value) == label
