"""Where a basin's lowest point lies, and when it cannot be said."""

from __future__ import annotations

import math

import pytest

from benchmarks.mup_basins import at_the_edge, lowest, parametrised
from tests.trainer.worlds import tiny

FACTORS = [0.25, 0.5, 1.0, 2.0, 4.0]


@pytest.mark.parametrize("best", [0.5, 0.7, 1.3, 2.0])
def test_the_lowest_point_of_a_parabola_in_the_logarithm_is_found(best: float) -> None:
    losses = [3.0 + 0.1 * math.log2(factor / best) ** 2 for factor in FACTORS]
    assert lowest(FACTORS, losses) == pytest.approx(best) and not at_the_edge(losses)


def test_at_the_edge_or_beside_a_broken_training_the_factor_itself_is_given() -> None:
    falling = [5.0, 4.0, 3.0, 2.0, 1.0]
    assert lowest(FACTORS, falling) == 4.0 and at_the_edge(falling)
    broken = [5.0, 4.0, 3.0, math.inf, math.inf]
    assert lowest(FACTORS, broken) == 1.0 and not at_the_edge(broken)


def test_the_plain_parametrisation_divides_nothing_by_the_width() -> None:
    config = tiny(hidden=64, heads=4, base_hidden=64)
    wide = parametrised(config, "muP", 256).model, parametrised(config, "plain", 256).model
    assert [model.width_ratio for model in wide] == [4.0, 1.0]
    assert parametrised(config, "plain", 64) == parametrised(config, "muP", 64), "at the base width both are one"
