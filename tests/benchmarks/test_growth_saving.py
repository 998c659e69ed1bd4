"""The FLOPs at which a curve comes down to a loss."""

from __future__ import annotations

import pytest

from benchmarks.growth_saving import reaches

CURVE = [(10.0, 4.0), (20.0, 3.0), (30.0, 3.2), (40.0, 2.0)]


@pytest.mark.parametrize("loss, flops", [(5.0, 10.0), (4.0, 10.0), (3.5, 15.0), (3.0, 20.0), (2.6, 35.0), (2.0, 40.0)])
def test_a_curve_comes_down_to_a_loss_for_the_first_time(loss: float, flops: float) -> None:
    assert reaches(CURVE, loss) == pytest.approx(flops)
