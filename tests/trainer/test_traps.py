"""Settings that train wrongly without an error: each is set on purpose here, and the comparison with a plain loop must see it.

What guards against a trap day by day is the test named beside it; this file shows that such a test would fail. docs/traps.md
has the whole table.
"""

from __future__ import annotations

import contextlib
import dataclasses
import re
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest
import torch

from core.config import ConfigError
from tests.trainer import worlds
from tests.trainer.sprung import settings
from tests.trainer.test_parity import FOUR, SHARES, gap, reference
from trainer.config import ParallelConfig, TrainConfig

STEPS = 6
LAYOUT = FOUR["TP2xPP2 sequence, all made anew"]
CONFIG = worlds.tiny(dataclasses.replace(LAYOUT, recompute="none"))


def states_in_parts() -> Any:
    """Trap 1: a hidden state that each tensor rank holds its own share of is cut once more between stages (the default)."""
    return settings(lambda made: made["pipeline"].update(pipe_partitioned=True, grad_partitioned=True))


def no_marks() -> Any:
    """Trap 2: shards of matrices do not say that they are shards."""
    from trainer.parallel import layers

    def cut(module: torch.nn.Module, group: Any) -> None:
        layers.cut(module, group)
        for parameter in module.parameters():
            if hasattr(parameter, "tensor_model_parallel"):
                del parameter.tensor_model_parallel

    return mock.patch("trainer.parallel.pipeline.cut", cut)


def gains_not_summed() -> Any:
    """Trap 4: under sequence parallelism each rank's norm gains see their own tokens alone."""
    return mock.patch("trainer.parallel.layers.shared", lambda parameter, group: parameter)


def own_draws() -> Any:
    """Trap 5: each tensor rank draws its shard by itself."""
    from trainer.model import initial

    def share_of(whole: torch.Tensor, dim: int | None, group: Any) -> torch.Tensor:
        share = initial_share(whole, dim, group)
        if dim is None:
            return share
        generator = torch.Generator().manual_seed(group.rank)
        return share.flatten()[torch.randperm(share.numel(), generator=generator)].view(share.shape)

    initial_share = initial.share_of
    return mock.patch("trainer.model.initial.share_of", share_of)


def a_quarter_of_the_first_stage() -> Any:
    """Trap 6: what DeepSpeed 0.18.9 and 0.19.2 did to the first stage's gradients where micro-batches are accumulated."""
    from trainer.parallel import pipeline

    class Less(pipeline.Pipeline):
        def __init__(self, *given: Any, **named: Any) -> None:
            super().__init__(*given, **named)
            if self.ranks.first:
                for parameter in self.parameters():
                    parameter.register_hook(lambda grad: grad / 4)

    return mock.patch("trainer.parallel.engine.Pipeline", Less)


def one_rate_for_all() -> Any:
    """Trap 7: a scheduler that writes one rate into all groups."""

    def apply(param_groups: Any, share: float) -> None:
        for group in param_groups:
            group["lr"] = param_groups[0]["peak_lr"] * share

    return mock.patch("trainer.schedule.apply", apply)


def means_of_means() -> Any:
    """Trap 11: each micro-batch's loss is divided by its own count of tokens."""
    from trainer.parallel import engine

    class PerMicroBatch(engine.Labels):
        def __new__(cls, targets: Any, weights: Any, domains: Any) -> Any:
            return super().__new__(cls, targets, weights / weights.sum().clamp(min=1), domains)

    return mock.patch("trainer.parallel.engine.Labels", PerMicroBatch)


TRAPS: dict[str, Callable[[], Any]] = {
    trap.__name__: trap
    for trap in (states_in_parts, no_marks, gains_not_summed, own_draws, a_quarter_of_the_first_stage, one_rate_for_all)
}


def train_sprung(names: list[str], config: TrainConfig) -> dict[str, list[tuple[float, float]]]:
    """Runs on every rank: some steps with each trap sprung, and with none."""
    from trainer import schedule
    from trainer.parallel.engine import Batch, Engine
    from trainer.parallel.ranks import place
    from trainer.parallel.start import start

    histories: dict[str, list[tuple[float, float]]] = {}
    for name in names:
        with TRAPS[name]() if name in TRAPS else contextlib.nullcontext():
            engine = Engine(config, place(config.parallel, start(config.parallel)))
            histories[name] = []
            for tokens, share in zip(worlds.batches(config, STEPS), SHARES, strict=False):
                schedule.apply(engine.optimizer.param_groups, share)
                rows = engine.rows(len(tokens))
                result = engine.step(Batch(tokens[rows], torch.zeros(len(tokens[rows]), dtype=torch.int64)))
                histories[name].append((result.loss, result.grad_norm))
            engine.deepspeed.destroy()
    return histories


@pytest.fixture(scope="module")
def histories() -> dict[str, list[tuple[float, float]]]:
    made: dict[str, list[tuple[float, float]]] = worlds.run(4, train_sprung, ["none", *TRAPS], CONFIG)
    return made


@pytest.mark.slow
@pytest.mark.parametrize("name", TRAPS)
def test_a_sprung_trap_is_seen_by_the_comparison_with_a_plain_loop(
    histories: dict[str, list[tuple[float, float]]], name: str
) -> None:
    expected = reference(CONFIG)[:STEPS]
    assert max(gap(histories["none"], expected)) < 1e-5
    seen = max(gap(histories[name], expected))
    print(f"{name}: off by {seen:.1e}")
    assert seen > 1e-4, "ten times what the comparison allows"


def groups_of_unequal_number(config: TrainConfig) -> str:
    """Runs on every rank. Trap 10: the first stage alone has a group for its embedding; all must end, and none may hang."""
    from trainer import optimizer
    from trainer.parallel.engine import Engine
    from trainer.parallel.ranks import place
    from trainer.parallel.start import start

    def split(named: Any, config: TrainConfig) -> list[dict[str, Any]]:
        made = groups(named, config)
        if "embedding.weight" in named:
            embedding = named["embedding.weight"]
            made[0]["params"] = [parameter for parameter in made[0]["params"] if parameter is not embedding]
            made.append({**made[0], "name": "embedding", "params": [embedding]})
        return made

    groups = optimizer.groups
    with mock.patch("trainer.optimizer.groups", split):
        try:
            Engine(config, place(config.parallel, start(config.parallel)))
        except RuntimeError as error:
            return str(error)
    return ""


@pytest.mark.slow
def test_stages_with_other_groups_are_refused_before_they_hang() -> None:
    assert "do not have the same parameter groups" in worlds.run(
        4, groups_of_unequal_number, worlds.tiny(FOUR["PP4"], layers=4)
    )


def masked_losses(config: TrainConfig) -> dict[str, tuple[float, float]]:
    """Runs on every rank: a masked step as it should be, and with trap 11 sprung."""
    from tests.trainer.test_engine import data
    from trainer.parallel.engine import Batch, Engine
    from trainer.parallel.ranks import place
    from trainer.parallel.start import start

    found = {}
    for name, sprung in (("right", contextlib.nullcontext), ("sprung", means_of_means)):
        with sprung():
            engine = Engine(config, place(config.parallel, start(config.parallel)), domains=3)
            tokens, domains, counted = data()
            rows = engine.rows(len(tokens))
            result = engine.step(Batch(tokens[rows], domains[rows], counted[rows], float(counted.sum())))
            found[name] = result.loss, result.grad_norm
            engine.deepspeed.destroy()
    return found


@pytest.mark.slow
def test_a_masked_loss_by_means_of_means_is_seen() -> None:
    from tests.trainer.test_engine import expected

    found = worlds.run(4, masked_losses, CONFIG)
    loss, _, norm = expected(documents_apart=False)
    assert found["right"] == pytest.approx((loss, norm), abs=1e-5)
    assert abs(found["sprung"][0] - loss) > 1e-3


def test_stage_zero_is_refused_and_deepspeed_is_new_enough() -> None:
    import deepspeed

    with pytest.raises(ConfigError, match="gives a wrong gradient norm"):  # trap 3
        ParallelConfig(zero=0)
    version = tuple(int(part) for part in re.findall(r"\d+", deepspeed.__version__)[:3])
    assert version >= (0, 19, 8)  # trap 6: exact with a pipeline and accumulation from 0.19.4 on
