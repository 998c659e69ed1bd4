"""The choice in figures: each case is a curve made by hand."""

from __future__ import annotations

import math

import pytest

from trainer.config.search import EarlyStop, Weighing
from trainer.search.combination import Combination
from trainer.search.judge import Outcome, falls_behind, figures, loss_at, ranked, settle
from trainer.search.trials import Row

BASE = Combination(0.01, 0.02, 0.001, 0.02, 0.1, 1.0, 2.0)
WEIGH = Weighing(horizon=math.e, trend=1.0, norm=0.1, spread=0.1, rise=0.4)


def log(loss: object = None, norm: object = None, steps: int = 80) -> list[Row]:
    """A log whose loss falls by 0.5 nats an e-fold of tokens, with a steady norm, unless functions of the step are given."""
    at = loss if callable(loss) else lambda step: 4.0 - 0.5 * math.log(step)
    to = norm if callable(norm) else lambda step: 1.0
    return [Row(step, 100 * step, at(step), to(step)) for step in range(1, steps + 1)]


def outcome(name: str, rows: list[Row], steps: int = 80, broke: int | None = None) -> Outcome:
    return settle(name, BASE, rows, steps, broke, 4, WEIGH)


def test_rate_trend_and_norm_of_a_made_curve() -> None:
    found = figures(log(), 4)
    assert found.rate == pytest.approx(0.5, rel=1e-3)
    assert found.trend < 1e-3 and found.norm == pytest.approx(0.0, abs=1e-9) and found.spread < 1e-9
    assert found.loss == pytest.approx(4.0 - 0.5 * math.log(78.5), abs=1e-3)
    # The horizon of e carries the loss on by one e-fold.
    assert found.score(WEIGH) == pytest.approx(found.loss - 0.5, abs=5e-3)


def test_a_norm_that_grows_with_the_tokens_is_measured_in_e_folds() -> None:
    found = figures(log(norm=lambda step: step / 10), 4)
    assert found.norm == pytest.approx(math.log(78.5 / 42.5), rel=1e-3)
    assert found.spread < 1e-3  # it rises, and steadily
    assert found.score(WEIGH) == pytest.approx(figures(log(), 4).score(WEIGH) + 0.1 * (found.norm + found.spread), abs=1e-6)


def test_an_unsteady_trend_costs_what_it_swings() -> None:
    swinging = figures(log(loss=lambda step: 4.0 - 0.5 * math.log(step) + (0.2 if (step - 1) // 4 % 2 else -0.2)), 4)
    assert swinging.trend == pytest.approx(0.2, rel=0.1)


def test_of_two_losses_alike_the_one_with_the_steadier_norm_is_chosen() -> None:
    # Up and down within each window of 4: medians and rise are those of a steady norm.
    swinging = outcome("a", log(norm=lambda step: 2.0 if step % 2 else 0.5))
    steady = outcome("b", log())
    assert swinging.figures.loss == steady.figures.loss and swinging.figures.norm == pytest.approx(0.0, abs=1e-9)
    assert [one.name for one in ranked([swinging, steady])] == ["b", "a"]
    assert swinging.figures.spread == pytest.approx(math.log(2.0))
    assert swinging.score == pytest.approx(steady.score + 0.1 * swinging.figures.spread)
    unweighed = [one.figures.score(Weighing(spread=0.0)) for one in (swinging, steady)]
    assert unweighed[0] == pytest.approx(unweighed[1])


def test_a_lone_spike_of_the_norm_between_two_medians_counts() -> None:
    spiked = figures(log(norm=lambda step: math.exp(4.0) if step == 62 else 1.0), 4)
    assert spiked.norm == pytest.approx(0.0, abs=1e-9) and spiked.spread == pytest.approx(math.sqrt(4.0**2 / 40))


def test_the_order_is_stable_then_unstable_then_stopped_then_broken() -> None:
    good, better = outcome("a", log()), outcome("b", log(loss=lambda step: 3.9 - 0.5 * math.log(step)))
    rising = outcome("c", log(loss=lambda step: 3.0 - 0.5 * math.log(step), norm=lambda step: float(step)))
    early, late = outcome("d", log(steps=20)), outcome("e", log(steps=40))
    broken = outcome("f", log(loss=lambda step: math.nan if step > 30 else 1.0), broke=31)
    assert [one.status for one in (good, rising, early, broken)] == ["finished", "unstable", "stopped", "broke"]
    order = [one.name for one in ranked([broken, early, rising, good, late, better])]
    assert order == ["b", "a", "c", "e", "d", "f"]


def test_equal_scores_are_ranked_by_name_whatever_the_order_they_came_in() -> None:
    pair = [outcome("b", log()), outcome("a", log())]
    assert ranked(pair) == ranked(pair[::-1])


def test_a_rung_stops_what_lies_above_the_margin_and_what_is_no_number() -> None:
    losses = {"a": 3.0, "b": 3.3, "c": 3.31, "d": math.inf}
    assert falls_behind(losses, EarlyStop(margin=0.3)) == {"c", "d"}
    assert falls_behind({}, EarlyStop()) == set()


def test_the_loss_at_a_step_is_the_mean_of_the_window_before_it() -> None:
    rows = log(loss=lambda step: float(step))
    assert loss_at(rows, 40, 4) == 38.5
    assert loss_at(rows, 40, 1) == 40.0
    assert loss_at([Row(1, 100, math.nan, 1.0)], 1, 1) == math.inf
