"""What the engine computes besides the plain step: masked losses, documents apart, validation, dropout."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch

from tests.trainer import plain, worlds
from tests.trainer.test_parity import layout
from trainer.config import TrainConfig
from trainer.model.initial import build

END = 7
CONFIG = worlds.tiny(layout(1, 1, 2, micro=2))
LAYOUTS = {
    "DP2": layout(1, 1, 2, micro=2),
    "PP2": layout(1, 2, 1, micro=4),
    "TP2": layout(2, 1, 1, micro=2),
    "TP2 sequence": layout(2, 1, 1, micro=4, sequence=True),
}


RECOMPUTED = ("PP2", "TP2 sequence")


def data(rows: int = 8) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Tokens with ends of documents in them, domains, and a mask that leaves very different numbers to each half."""
    generator = torch.Generator().manual_seed(8)
    tokens = torch.randint(0, 60, (rows, CONFIG.model.context + 1), generator=generator)
    tokens[:, 5] = tokens[::2, 11] = END
    counted = torch.rand(rows, CONFIG.model.context, generator=generator) < torch.linspace(0.1, 0.9, rows)[:, None]
    return tokens, torch.arange(rows) % 3, counted.long()


def measure_all(layouts: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Runs on every rank."""
    from trainer.parallel.engine import Batch, Engine
    from trainer.parallel.ranks import place
    from trainer.parallel.start import start

    found = {}
    for name, parallel in layouts.items():
        for masked in (False, True):
            config = dataclasses.replace(worlds.tiny(parallel, document_mask=masked))
            engine = Engine(config, place(parallel, start(parallel)), domains=3, document_end=END)
            tokens, domains, counted = data()
            rows = engine.rows(len(tokens))
            batch = Batch(tokens[rows], domains[rows], counted[rows], float(counted.sum()))
            before = engine.losses(batch)
            result = engine.step(batch)
            found[f"{name}, documents apart: {masked}"] = {"before": before, "step": result}
            engine.deepspeed.destroy()
        dropout = worlds.tiny(parallel, dropout=0.2)
        engine = Engine(dropout, place(parallel, start(parallel)))
        rows = engine.rows(8)
        batch = Batch(tokens[rows], torch.zeros(len(tokens[rows]), dtype=torch.int64))
        losses = [engine.step(batch).loss for _ in range(2)]
        drawn: list[Any] = [None] * torch.distributed.get_world_size()
        torch.distributed.all_gather_object(drawn, float(torch.rand(())))
        still = engine.losses(batch)
        found[f"{name}, dropout"] = {"losses": losses, "drawn": drawn, "still": still, "again": engine.losses(batch)}
        engine.deepspeed.destroy()
    for name in RECOMPUTED:
        for recompute in ("none", "full", "selective"):
            parallel = dataclasses.replace(layouts[name], recompute=recompute)
            engine = Engine(worlds.tiny(parallel, dropout=0.2), place(parallel, start(parallel)))
            rows = engine.rows(8)
            batch = Batch(tokens[rows], torch.zeros(len(tokens[rows]), dtype=torch.int64))
            steps = [engine.step(batch) for _ in range(2)]
            found[f"{name}, dropout, made anew: {recompute}"] = {"steps": [(step.loss, step.grad_norm) for step in steps]}
            engine.deepspeed.destroy()
    return found


@pytest.fixture(scope="module")
def measured() -> dict[str, dict[str, Any]]:
    made: dict[str, dict[str, Any]] = worlds.run(2, measure_all, LAYOUTS)
    return made


def expected(documents_apart: bool) -> tuple[float, torch.Tensor, float]:
    """Loss, nats and tokens by domain, and gradient norm of a plain pass over the whole batch."""
    tokens, domains, counted = data()
    config: TrainConfig = CONFIG
    weights = {name: w.detach().clone().requires_grad_() for name, w in build(config.model, config.seed).named_parameters()}
    scores = plain.logits(weights, tokens[:, :-1], config, END if documents_apart else None)
    nats = torch.nn.functional.cross_entropy(scores.flatten(0, 1), tokens[:, 1:].flatten(), reduction="none")
    nats = nats.view(counted.shape) * counted
    loss = nats.sum() / counted.sum()
    loss.backward()
    tally = torch.zeros(3, 2).index_add(0, domains, torch.stack((nats.sum(1), counted.sum(1).float()), 1).detach())
    norm = torch.stack([w.grad.norm() for w in weights.values() if w.grad is not None]).norm()
    return float(loss), tally, float(norm)


@pytest.mark.parametrize("documents_apart", [False, True])
@pytest.mark.parametrize("name", LAYOUTS)
def test_a_masked_loss_is_the_mean_over_what_counts_in_any_layout(
    measured: dict[str, dict[str, Any]], name: str, documents_apart: bool
) -> None:
    loss, tally, norm = expected(documents_apart)
    found = measured[f"{name}, documents apart: {documents_apart}"]
    assert found["step"].loss == pytest.approx(loss, abs=1e-5)
    assert found["step"].grad_norm == pytest.approx(norm, abs=1e-5)
    assert torch.allclose(found["step"].tally.float(), tally, atol=1e-3)
    assert torch.allclose(found["before"].float(), tally, atol=1e-3)


@pytest.mark.parametrize("name", LAYOUTS)
def test_dropout_draws_alike_where_ranks_hold_the_same_and_not_in_validation(
    measured: dict[str, dict[str, Any]], name: str
) -> None:
    found = measured[f"{name}, dropout"]
    assert found["losses"][0] != found["losses"][1]
    assert torch.equal(found["still"], found["again"])
    alike = found["drawn"][0] == found["drawn"][1]
    assert alike == (name == "TP2")


@pytest.mark.parametrize("name", RECOMPUTED)
def test_dropout_is_drawn_alike_where_activations_are_made_anew(measured: dict[str, dict[str, Any]], name: str) -> None:
    kept, *anew = (measured[f"{name}, dropout, made anew: {part}"]["steps"] for part in ("none", "full", "selective"))
    for steps in anew:
        assert steps == [pytest.approx(step, rel=1e-6) for step in kept]
