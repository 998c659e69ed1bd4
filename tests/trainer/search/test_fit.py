"""The curve of loss against size, on sizes and losses that are known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import curve_fit

from trainer.search.fit import fit

SIZES = [4.0, 9.0, 20.0, 41.0, 90.0]


@settings(max_examples=40, deadline=None)
@given(a=st.floats(0.3, 8.0), b=st.floats(-2.0, -0.1), c=st.floats(0.0, 5.0))
def test_a_curve_without_noise_is_found_again(a: float, b: float, c: float) -> None:
    found = fit(SIZES, [a * x**b + c for x in SIZES])
    for x in (*SIZES, 200.0, 1000.0):
        assert found.loss(x) == pytest.approx(a * x**b + c, abs=2e-5)


def test_it_is_the_least_squares_that_scipy_finds_from_nanolms_start() -> None:
    draw = np.random.default_rng(3)
    x = np.repeat(SIZES, 3)
    y = 2.0 * x**-0.7 + 3.1 + draw.normal(0, 0.01, len(x))
    found = fit(x.tolist(), y.tolist())
    expected, covariance = curve_fit(lambda n, a, b, c: a * n**b + c, x, y, p0=(1, -1, 3), maxfev=5000)
    assert (found.a, found.b, found.c) == pytest.approx(tuple(expected), rel=1e-3)
    assert found.covariance is not None
    assert np.sqrt(np.diag(found.covariance)) == pytest.approx(np.sqrt(np.diag(covariance)), rel=1e-2)


def test_the_interval_holds_as_many_runs_as_it_says() -> None:
    draw, inside = np.random.default_rng(5), 0
    for _ in range(100):
        x = np.repeat(SIZES, 3)
        found = fit(x.tolist(), (2.0 * x**-0.7 + 3.1 + draw.normal(0, 0.01, len(x))).tolist())
        half = found.half_width(180.0, 0.9)
        assert half is not None
        inside += abs(found.loss(180.0) - (2.0 * 180.0**-0.7 + 3.1 + draw.normal(0, 0.01))) <= half
    assert 80 <= inside <= 98


def test_too_few_sizes_are_refused_and_three_leave_no_interval() -> None:
    with pytest.raises(ValueError, match="three sizes at least, these are 2"):
        fit([1.0, 2.0, 2.0], [3.0, 2.0, 2.1])
    assert fit([1.0, 2.0, 4.0], [3.0, 2.0, 1.7]).half_width(8.0) is None
