"""What the loss depends on, from pairs of trials that differ in one value alone."""

from __future__ import annotations

import math

import pytest

from trainer.config.search import SEVEN
from trainer.search.combination import Combination
from trainer.search.judge import Figures, Outcome, Status
from trainer.search.sensitivity import alone, probes, sensitivities

BASE = Combination(0.01, 0.02, 0.001, 0.02, 0.1, 1.0, 2.0)


def outcome(combination: Combination, loss: float, status: Status = "finished") -> Outcome:
    return Outcome("", combination, status, 10, Figures(loss, 0.0, 0.0, 0.0, 0.0), loss)


def test_only_a_pair_that_differs_in_one_value_says_something() -> None:
    assert alone(BASE, BASE.but({"init_std": 0.04})) == "init_std"
    assert alone(BASE, BASE.but({"init_std": 0.04, "input_mult": 2.0})) is None
    assert alone(BASE, BASE) is None
    # A minimum that keeps its value or its share is the same minimum.
    assert alone(BASE, BASE.but({"lr": 0.02})) == "lr" == alone(BASE, BASE.but({"lr": 0.02, "min_lr": 0.001}))
    assert alone(BASE, BASE.but({"lr": 0.02, "min_lr": 0.0005})) is None


def test_nats_a_doubling() -> None:
    found = {
        one.name: one
        for one in sensitivities(
            [
                outcome(BASE, 3.0),
                outcome(BASE.but({"lr_matrix": 0.08}), 3.4),  # two doublings
                outcome(BASE.but({"lr_matrix": 0.01}), 3.1),  # a halving
                outcome(BASE.but({"output_mult": 4.0}), 2.9),
                outcome(BASE.but({"init_std": 0.04}), 9.9, "stopped"),  # was not trained to its end
            ]
        )
    }
    assert set(found) == set(SEVEN)
    changes = [0.4 / 2, -0.1, -(0.4 - 0.1) / -3]  # base to 4x, half to base, half to 4x
    assert found["lr_matrix"].pairs == 3
    assert found["lr_matrix"].change == pytest.approx(sum(changes) / 3)
    assert found["output_mult"].change == pytest.approx(-0.1)
    assert found["init_std"].pairs == 0 and found["init_std"].change is None


def test_probes_fill_in_what_no_pair_says() -> None:
    seen = [outcome(BASE, 3.0), outcome(BASE.but({"lr": 0.02}), 3.1), outcome(BASE.but({"output_mult": 4.0}), 2.9)]
    made = probes(BASE, seen, 2.0)
    assert [alone(BASE, one) for one in made] == ["lr_matrix", "min_lr", "init_std", "init_std_matrix", "input_mult"]
    assert made[0].lr_matrix == 0.04 and made[1].min_lr == 0.002
    assert probes(BASE, seen, 1.0) == []
    flat = BASE.but({"min_lr": 0.01})  # the minimum cannot be doubled: it is halved
    assert next(one for one in probes(flat, [], 2.0) if one.lr == flat.lr and one.min_lr != flat.min_lr).min_lr == 0.005
    assert math.isclose(probes(flat, [], 2.0)[0].lr, 0.02)
