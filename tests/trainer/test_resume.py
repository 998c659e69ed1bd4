"""A run that stops and goes on in another layout is the run that never stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from tests.trainer import plain, worlds
from tests.trainer.test_parity import SHARES, STEPS, gap, layout, reference
from trainer import schedule
from trainer.checkpoint import Checkpoint, Writer, newest
from trainer.config import ParallelConfig, TrainConfig
from trainer.model.initial import build

CHAIN = [layout(2, 2, 1, sequence=True), layout(1, 2, 2), layout(4, 1, 1), layout(1, 1, 4), layout(2, 1, 2)]


def train_chains(chains: dict[str, list[TrainConfig]]) -> dict[str, dict[str, Any]]:
    """Runs on every rank: for each folder, legs that go on from the checkpoint that the one before left."""
    return {folder: train_chain(folder, legs) for folder, legs in chains.items()}


def train_chain(folder: str, legs: list[TrainConfig]) -> dict[str, Any]:
    from trainer.parallel import states
    from trainer.parallel.engine import Batch, Engine
    from trainer.parallel.ranks import place
    from trainer.parallel.start import start

    steps_each = STEPS // len(legs)
    history: list[tuple[float, float]] = []
    norms: list[list[tuple[str, float]]] = []
    for config in legs:
        engine = Engine(config, place(config.parallel, start(config.parallel)))
        found = newest(folder)
        if found is not None:
            assert states.damage(found) is None
            states.restore(engine, found)
        assert states.adam_step(engine) == len(history)
        for step in range(len(history), len(history) + steps_each):
            tokens = worlds.batches(config, step + 1)[step]
            schedule.apply(engine.optimizer.param_groups, SHARES[step])
            rows = engine.rows(len(tokens))
            result = engine.step(Batch(tokens[rows], torch.zeros(len(tokens[rows]), dtype=torch.int64)))
            history.append((result.loss, result.grad_norm))
        states.save(engine, Writer(folder, len(history)), {"step": len(history), "model": config.model})
        norms.append(list(states.norms(engine)))
        engine.deepspeed.destroy()
    return {"history": history, "norms": norms}


def legs(parallels: list[ParallelConfig], **more: Any) -> list[TrainConfig]:
    return [worlds.tiny(parallel, **more) for parallel in parallels]


def test_four_ranks_go_on_in_any_other_layout(tmp_path: Path) -> None:
    chain = legs(CHAIN)
    made = worlds.run(4, train_chains, {str(tmp_path): chain})[str(tmp_path)]
    loss, norm = gap(made["history"], reference(chain[0]))
    assert loss < 1e-5 and norm < 1e-5

    last = Checkpoint.open(tmp_path / f"step-{STEPS:08d}")
    weights = {name: parameter.detach().clone() for name, parameter in build(chain[0].model, 5).named_parameters()}
    plain.train(weights, worlds.batches(chain[0], STEPS), chain[0], SHARES)
    assert sorted(last.names()) == sorted(weights)
    for name, weight in weights.items():
        assert torch.allclose(last.tensor(name), weight, atol=2e-5), name
    inside = torch.cat([w.detach().flatten() for n, w in weights.items() if n.startswith("layers.") and w.ndim == 2])
    assert dict(made["norms"][-1])["matrix-like"] == pytest.approx(float(inside.norm()), rel=1e-5)


def test_tied_matrices_and_bf16_go_on_as_well(tmp_path: Path) -> None:
    tied = legs([layout(1, 2, 1), layout(2, 1, 1, sequence=True)], tied=True)
    rough = legs([layout(2, 1, 1)] * 2, precision="bf16")
    chains = {str(tmp_path / "tied"): tied, str(tmp_path / "stopped"): rough, str(tmp_path / "through"): rough[:1]}
    one, stopped, through = (made["history"] for made in worlds.run(2, train_chains, chains).values())
    loss, norm = gap(one, reference(tied[0]))
    assert loss < 1e-5 and norm < 1e-5
    # In bf16 no layout equals another to 1e-5, but fp32 masters and moments must survive a restart in the same one.
    loss, norm = gap(stopped, through)
    assert loss < 1e-6 and norm < 1e-6
