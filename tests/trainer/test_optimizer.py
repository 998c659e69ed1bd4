"""The optimizer under DeepSpeed: decay of every form, updates held back, and norms by group, each against a plain loop."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch

from tests.trainer import plain, worlds
from tests.trainer.test_parity import layout
from trainer.config import TrainConfig
from trainer.model.initial import build
from trainer.model.mup import KINDS, kind

STEPS = 8
SKIPPED = frozenset({3, 4})
LAYOUTS = {
    "DP2": layout(1, 1, 2),
    "PP2": layout(1, 2, 1),
    "TP2 sequence": layout(2, 1, 1, sequence=True),
}


def decayed(form: Any, parallel: Any, precision: str = "fp32") -> TrainConfig:
    config = worlds.tiny(parallel, steps=STEPS, precision=precision)
    optimizer = dataclasses.replace(
        config.pretrain.optimizer, weight_decay=0.3, weight_decay_vector=0.1, weight_decay_form=form
    )
    return dataclasses.replace(config, pretrain=dataclasses.replace(config.pretrain, optimizer=optimizer))


CONFIGS = {
    **{f"{name}, coupled": decayed("coupled", parallel) for name, parallel in LAYOUTS.items()},
    "DP2, scaled": decayed("scaled", LAYOUTS["DP2"]),
    "DP2, decoupled": decayed("decoupled", LAYOUTS["DP2"]),
    "DP2, decoupled, bf16": decayed("decoupled", LAYOUTS["DP2"], "bf16"),
}


def train_all(configs: dict[str, TrainConfig]) -> dict[str, Any]:
    """Runs on every rank: (loss, gradient norm) of each step, two of them skipped, and the norms of the last."""
    from trainer.parallel import states
    from trainer.parallel.engine import Batch, Engine
    from trainer.parallel.ranks import place
    from trainer.parallel.start import start

    found = {}
    for name, config in configs.items():
        engine = Engine(config, place(config.parallel, start(config.parallel)))
        history, asked = [], []
        for step, tokens in enumerate(worlds.batches(config, STEPS)):
            rows = engine.rows(len(tokens))
            before = states.masters(engine)

            def permit(loss: float, norm: float, step: int = step) -> bool:
                asked.append((loss, norm))  # noqa: B023
                return step not in SKIPPED

            result = engine.step(Batch(tokens[rows], torch.zeros(len(tokens[rows]), dtype=torch.int64)), permit)
            assert result.skipped == (step in SKIPPED)
            history.append((result.loss, result.grad_norm))
        norms = dict(states.norms(engine)), dict(states.norms(engine, before))
        found[name] = {"history": history, "asked": asked, "norms": norms, "adam_step": states.adam_step(engine)}
        engine.deepspeed.destroy()
    return found


@pytest.fixture(scope="module")
def trained() -> dict[str, Any]:
    made: dict[str, Any] = worlds.run(2, train_all, CONFIGS)
    return made


def norms(weights: dict[str, torch.Tensor]) -> dict[str, float]:
    return {of: float(torch.cat([w.flatten() for name, w in weights.items() if kind(name) == of]).norm()) for of in KINDS}


@pytest.mark.parametrize("name", CONFIGS)
def test_it_is_the_plain_loop_that_leaves_those_updates_out(trained: dict[str, Any], name: str) -> None:
    config, found = CONFIGS[name], trained[name]
    weights = {name: p.detach().clone() for name, p in build(config.model, config.seed).named_parameters()}
    batches = worlds.batches(config, STEPS)
    expected = plain.train(weights, batches[:-1], config, [1.0] * (STEPS - 1), SKIPPED)
    within = 1e-5 if config.pretrain.precision == "fp32" else 1e-2
    for one, other in zip(found["history"], expected, strict=False):
        assert one == pytest.approx(other, abs=within)
    assert found["asked"] == [pytest.approx(pair, abs=1e-5) for pair in found["history"]], "asked once a step, of that step"
    assert found["adam_step"] == STEPS - len(SKIPPED)


@pytest.mark.parametrize("name", LAYOUTS)
def test_norms_are_those_of_whole_tensors_in_every_layout(trained: dict[str, Any], name: str) -> None:
    config = CONFIGS[f"{name}, coupled"]
    weights = {name: p.detach().clone() for name, p in build(config.model, config.seed).named_parameters()}
    start = {name: w.clone() for name, w in weights.items()}
    plain.train(weights, worlds.batches(config, STEPS), config, [1.0] * STEPS, SKIPPED)
    weights = {name: w.detach() for name, w in weights.items()}
    of_weights, of_update = trained[f"{name}, coupled"]["norms"]
    assert of_weights == pytest.approx(norms(weights), rel=1e-4)
    assert of_weights != pytest.approx(norms(start), rel=1e-4)
    before = {name: w.clone() for name, w in start.items()}
    plain.train(before, worlds.batches(config, STEPS)[:-1], config, [1.0] * (STEPS - 1), SKIPPED)
    assert of_update == pytest.approx(norms({name: w - before[name].detach() for name, w in weights.items()}), rel=1e-3)
