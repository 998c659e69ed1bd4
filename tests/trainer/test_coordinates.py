"""The coordinate check of muP (Yang et al. 2022, appendix D.1): after a few steps, no width's activations are larger."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from tests.trainer import worlds
from tests.trainer.test_parity import layout
from trainer.config import ModelConfig, OptimizerConfig, ParallelConfig, PretrainConfig, TrainConfig

WIDTHS = (64, 128, 256, 512)
STEPS = 6
LAYOUTS = {"TP2": layout(2, 1, 1, micro=4, sequence=True), "PP2": layout(1, 2, 1, micro=4)}


def at_width(width: int, mup: bool, parallel: ParallelConfig) -> TrainConfig:
    """Heads of 32 at every width; the std of the report's vector-like parameters."""
    model = ModelConfig(
        layers=2, hidden=width, heads=width // 32, ffn=2 * width, vocab=128, context=32,
        base_hidden=64 if mup else None, init_std=0.004, init_std_matrix=0.125,
    )  # fmt: skip
    optimizer = OptimizerConfig(lr=4e-3, lr_matrix=4e-3, clip=0.0)
    return TrainConfig(seed=1, model=model, parallel=parallel, pretrain=PretrainConfig(batch=8, optimizer=optimizer))


def scales(configs: dict[Any, TrainConfig]) -> dict[Any, dict[str, float]]:
    """Runs on every rank: the mean size of what each layer puts out after some steps, by layer."""
    from trainer.model.network import Attention, Block, FeedForward, FinalNorm
    from trainer.parallel.engine import Batch, Engine
    from trainer.parallel.ranks import place
    from trainer.parallel.start import start

    found = {}
    for key, config in configs.items():
        engine = Engine(config, place(config.parallel, start(config.parallel)))
        tokens = torch.randint(0, 128, (8, 33), generator=torch.Generator().manual_seed(3))
        batch = Batch(tokens, torch.zeros(8, dtype=torch.int64))
        for _ in range(STEPS):
            engine.step(batch)
        seen: dict[str, float] = {}
        stage = engine.ranks.stage

        def note(layer: Any, _: Any, out: torch.Tensor, seen: dict[str, float] = seen, stage: int = stage) -> None:
            seen[f"stage {stage}, layer {len(seen)}, {type(layer).__name__}"] = float(out.abs().mean())

        for module in engine.pipeline.modules():
            if isinstance(module, (Attention, FeedForward, Block)):
                module.register_forward_hook(note)
            elif isinstance(module, FinalNorm):
                head = engine.pipeline._head[0]
                module.register_forward_hook(lambda _, __, out, head=head, note=note: note(head, None, head(out)))
        engine.losses(Batch(tokens[:4], batch.domains[:4]))
        shared: list[Any] = [None] * torch.distributed.get_world_size()
        torch.distributed.all_gather_object(shared, seen)
        found[key] = {name: value for part in reversed(shared) for name, value in part.items()}
        engine.deepspeed.destroy()
    return found


@pytest.fixture(scope="module")
def measured() -> dict[Any, dict[str, float]]:
    configs = {(name, width): at_width(width, True, parallel) for name, parallel in LAYOUTS.items() for width in WIDTHS}
    configs |= {("plain", width): at_width(width, False, LAYOUTS["PP2"]) for width in (64, 512)}
    made: dict[Any, dict[str, float]] = worlds.run(2, scales, configs)
    return made


def widest_ratio(measured: dict[Any, dict[str, float]], name: str) -> dict[str, float]:
    """Largest over smallest size among the widths, by layer."""
    rows = [row for (which, _), row in measured.items() if which == name]
    assert len(rows[0]) >= 7  # attention, feed-forward and block twice, and the head
    return {layer: max(row[layer] for row in rows) / min(row[layer] for row in rows) for layer in rows[0]}


@pytest.mark.parametrize("name", LAYOUTS)
def test_activations_keep_their_size_under_mup(measured: dict[Any, dict[str, float]], name: str) -> None:
    ratios = widest_ratio(measured, name)
    assert max(ratios.values()) < 1.5, ratios


def test_they_grow_with_the_width_under_the_plain_parametrisation(measured: dict[Any, dict[str, float]]) -> None:
    ratios = widest_ratio(measured, "plain")
    assert min(ratios.values()) > 2.0, ratios
