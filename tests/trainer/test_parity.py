"""Every layout trains as a plain loop does: 20 fp32 steps with clipping, loss and gradient norm within 1e-5."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from tests.trainer import plain, worlds
from trainer import schedule
from trainer.config import ParallelConfig, TrainConfig
from trainer.model.initial import build

STEPS = 20
SHARES = [min(1.0, (n + 1) / 5) for n in range(STEPS)]


def layout(tensor: int, pipeline: int, data: int, micro: int | None = None, **more: Any) -> ParallelConfig:
    micro = micro or 4 // data  # at least two micro-batches a rank
    return ParallelConfig(tensor=tensor, pipeline=pipeline, data=data, micro_batch=micro, device="cpu", threads=1, **more)


# What `make test` runs; the rest of each table is for `make test-slow`.
TWO = {
    "TP2": layout(2, 1, 1),
    "TP2 sequence, all made anew": layout(2, 1, 1, sequence=True, recompute="full"),
    "TP2 sequence, some made anew": layout(2, 1, 1, sequence=True, recompute="selective"),
    "PP2": layout(1, 2, 1),
    "DP2": layout(1, 1, 2),
}
MORE_OF_TWO = {
    "TP2 sequence": layout(2, 1, 1, sequence=True),
    "TP2, all made anew": layout(2, 1, 1, recompute="full"),
    "TP2, some made anew": layout(2, 1, 1, recompute="selective"),
    "PP2, all made anew": layout(1, 2, 1, recompute="full"),
    "DP2, some made anew": layout(1, 1, 2, recompute="selective"),
}
FOUR = {
    "TP2xPP2": layout(2, 2, 1),
    "TP2xPP2 sequence, all made anew": layout(2, 2, 1, sequence=True, recompute="full"),
    "TP2xDP2 sequence": layout(2, 1, 2, sequence=True),
    "PP2xDP2": layout(1, 2, 2),
    "PP4": layout(1, 4, 1, micro=1),
}
MORE_OF_FOUR = {
    "TP2xPP2 sequence": layout(2, 2, 1, sequence=True),
    "TP2xPP2, all made anew": layout(2, 2, 1, recompute="full"),
    "TP2xDP2": layout(2, 1, 2),
    "TP2xDP2 sequence, all made anew": layout(2, 1, 2, sequence=True, recompute="full"),
    "PP2xDP2, some made anew": layout(1, 2, 2, recompute="selective"),
    "TP2xDP2, all made anew": layout(2, 1, 2, recompute="full"),
    "TP4": layout(4, 1, 1),
    "TP4 sequence": layout(4, 1, 1, sequence=True),
}
EIGHT = {
    "TP2xPP2xDP2": layout(2, 2, 2),
    "TP2xPP2xDP2 sequence, all made anew": layout(2, 2, 2, sequence=True, recompute="full"),
    "TP2xPP2xDP2 sequence": layout(2, 2, 2, sequence=True),
    "TP2xPP2xDP2, all made anew": layout(2, 2, 2, recompute="full"),
    "TP4xPP2": layout(4, 2, 1),
    "TP4xPP2 sequence": layout(4, 2, 1, sequence=True),
    "TP4xPP2, all made anew": layout(4, 2, 1, recompute="full"),
    "TP4xPP2 sequence, all made anew": layout(4, 2, 1, sequence=True, recompute="full"),
}

# bf16 rounds, but a gradient that is lost or counted twice shows in the norm by far more than that.
ROUGH = {"TP2", "PP2", "TP2xPP2", "TP2xPP2 sequence", "PP2xDP2"}


def train_all(configs: dict[str, TrainConfig]) -> dict[str, list[tuple[float, float]]]:
    """Runs on every rank: each layout in turn, in the same processes."""
    from trainer.parallel.engine import Batch, Engine
    from trainer.parallel.ranks import place
    from trainer.parallel.start import start

    histories = {}
    for name, config in configs.items():
        device = start(config.parallel)
        engine = Engine(config, place(config.parallel, device))
        history = []
        for tokens, share in zip(worlds.batches(config, STEPS), SHARES, strict=True):
            schedule.apply(engine.optimizer.param_groups, share)
            rows = engine.rows(len(tokens))
            result = engine.step(Batch(tokens[rows], torch.zeros(len(tokens[rows]), dtype=torch.int64)))
            assert result.tally[0, 1] == tokens[:, 1:].numel()
            assert abs(float(result.tally[0, 0] / result.tally[0, 1]) - result.loss) < 1e-5
            history.append((result.loss, result.grad_norm))
        histories[name] = history
        engine.deepspeed.destroy()
    return histories


def reference(config: TrainConfig) -> list[tuple[float, float]]:
    weights = {name: parameter.detach().clone() for name, parameter in build(config.model, config.seed).named_parameters()}
    return plain.train(weights, worlds.batches(config, STEPS), config, SHARES)


def gap(history: list[tuple[float, float]], expected: list[tuple[float, float]]) -> tuple[float, float]:
    pairs = list(zip(history, expected, strict=True))
    return max(abs(a[0] - b[0]) for a, b in pairs), max(abs(a[1] - b[1]) for a, b in pairs)


def check(world: int, layouts: dict[str, ParallelConfig]) -> None:
    configs = {name: worlds.tiny(parallel, layers=max(2, parallel.pipeline)) for name, parallel in layouts.items()}
    if layouts is TWO:
        configs["PP2, one matrix for embedding and head"] = worlds.tiny(layouts["PP2"], tied=True)
        configs["PP2, one matrix for embedding and head, bf16"] = worlds.tiny(layouts["PP2"], tied=True, precision="bf16")
        for name in ("PP2", "DP2"):
            grown = configs[name]
            configs[f"{name}, a batch that grows"] = replace(grown, pretrain=replace(grown.pretrain, ramp=[[7, 4]]))
        configs["TP2, two key heads"] = worlds.tiny(layouts["TP2 sequence, all made anew"], kv_heads=2)
    for name in ROUGH & set(layouts):
        configs[f"{name}, bf16"] = worlds.tiny(layouts[name], precision="bf16")
    histories = worlds.run(world, train_all, configs)
    for name, history in histories.items():
        expected = reference(configs[name])
        within = 1e-5 if configs[name].pretrain.precision == "fp32" else 5e-3
        assert min(norm for _, norm in expected) > configs[name].pretrain.optimizer.clip, "clipping must act"
        assert expected[-1][0] < expected[0][0] - 0.2, "there must be something to learn"
        loss, norm = gap(history, expected)
        print(f"{name}: loss within {loss:.1e}, gradient norm within {norm:.1e}")
        assert loss < within and norm < within, (name, loss, norm)


def test_two_ranks_train_as_one_in_every_layout() -> None:
    check(2, TWO)


def test_four_ranks_train_as_one_in_every_layout() -> None:
    check(4, FOUR)


@pytest.mark.slow
def test_two_ranks_train_as_one_in_every_further_layout() -> None:
    check(2, MORE_OF_TWO)


@pytest.mark.slow
def test_four_ranks_train_as_one_in_every_further_layout() -> None:
    check(4, MORE_OF_FOUR)


@pytest.mark.slow
def test_eight_ranks_train_as_one_in_every_layout() -> None:
    check(8, EIGHT)
