"""The straight lines that the curve of loss against size is measured against."""

from __future__ import annotations

import pytest

from benchmarks.loss_prediction import log_linear, straight


def test_a_straight_line_in_logarithms_has_no_floor() -> None:
    assert straight([1.0, 10.0], [4.0, 2.0], 100.0) == pytest.approx(1.0)
    assert log_linear([1.0, 10.0], [4.0, 3.0], 100.0) == pytest.approx(2.0)
