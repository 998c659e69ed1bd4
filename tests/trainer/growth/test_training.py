"""Training across a growth step on shards: no jump, through the ramp of the masks, in any layout, and plain afterwards."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from core.config import ConfigError
from tests.trainer import worlds
from tests.trainer.test_parity import layout
from tests.trainer.tokens import write_encoded
from trainer.checkpoint import Checkpoint, consolidate
from trainer.config import (
    GrowConfig,
    ModelConfig,
    OptimizerConfig,
    ParallelConfig,
    PretrainConfig,
    ScheduleConfig,
    TrainConfig,
)
from trainer.data import Blend, TokenData
from trainer.evaluate.load import load_network
from trainer.growth.grow import grow
from trainer.growth.record import Growth, unfinished
from trainer.model.initial import build

GROWN, RAMP, END = 12, 6, 24
SHAPE: dict[str, Any] = dict(
    layers=2, hidden=32, heads=4, ffn=48, context=32, vocab_multiple=16, base_hidden=16, input_mult=2.0, output_mult=0.7
)


def settings(run: Path, parallel: ParallelConfig, steps: int, source: Path | None = None, **model: Any) -> TrainConfig:
    optimizer, schedule = OptimizerConfig(lr=6e-3, lr_matrix=1.2e-2), ScheduleConfig(warmup=4, length=40)
    return TrainConfig(
        run=str(run),
        model=ModelConfig(**{**SHAPE, **model}),
        parallel=parallel,
        pretrain=PretrainConfig(steps=steps, batch=8, validate_every=0, optimizer=optimizer, schedule=schedule, norms_every=0),
        grow=GrowConfig(source=str(source) if source else None, mask_steps=RAMP, warmup=3, layers="distance", sequences=4),
    )


def in_bf16(config: TrainConfig) -> TrainConfig:
    return replace(config, pretrain=replace(config.pretrain, precision="bf16"))


def with_batch(config: TrainConfig, batch: int) -> TrainConfig:
    return replace(config, pretrain=replace(config.pretrain, batch=batch))


def train(configs: list[TrainConfig]) -> None:
    """Runs on every rank: one run after another."""
    from trainer.parallel.start import start
    from trainer.pretrain import pretrain

    for config in configs:
        pretrain(config, start(config.parallel))


def history(run: Path) -> dict[int, dict[str, Any]]:
    rows = [json.loads(line) for line in (run / "pretrain/log.jsonl").read_text().splitlines()]
    return {row["step"]: row for row in rows if "loss" in row}


def checkpoint(run: Path, step: int) -> Checkpoint:
    return Checkpoint.open(run / f"pretrain/checkpoints/step-{step:08d}")


def test_a_run_goes_on_through_growth_in_any_layout(tmp_path: Path) -> None:
    small, through, moved = (tmp_path / name for name in ("small", "through", "moved"))
    write_encoded(small)
    grown: dict[str, Any] = dict(layers=3, hidden=48, heads=6, ffn=80, output_mult=0.9)
    both, across = layout(2, 2, 1, sequence=True), layout(2, 1, 2)
    worlds.run(4, train, [settings(small, both, GROWN)])
    for run in (through, moved):
        grow(settings(run, both, END, small, **grown))
        assert (run / "encode/manifest.json").exists()
    again, halved = tmp_path / "made anew", tmp_path / "halved"
    for run in (again, halved):
        grow(settings(run, both, END, small, **grown))
    assert checkpoint(through, GROWN).state["adam_step"] == GROWN  # a reset would put Adam's bias correction at its beginning
    assert checkpoint(through, GROWN).state["training_seconds"] == 0.0  # the source's time is not this run's

    # In one process, from the checkpoints that tensor and pipeline ranks wrote: the same function, to fp32.
    ids = torch.randint(8, 58, (32, 4), generator=torch.Generator().manual_seed(1))
    before, after = load_network(checkpoint(small, GROWN)), load_network(checkpoint(through, GROWN))
    with torch.no_grad():
        assert (before(ids) - after(ids)).abs().max() < 1e-5
    twice = grow(settings(through, both, END, small, **grown))  # asked for twice, done once
    assert twice == checkpoint(through, GROWN).path

    worlds.run(
        4,
        train,
        [
            settings(small, across, GROWN + 1),
            settings(through, both, END, small, **grown),
            settings(moved, layout(1, 1, 4), GROWN + 3, small, **grown),  # stops in the midst of the ramp
            settings(moved, across, END, small, **grown),
            # Blocks that are computed a second time for their gradients, under a mask that has risen since; in bf16.
            in_bf16(settings(again, layout(2, 1, 2, sequence=True, recompute="full"), GROWN + 4, small, **grown)),
            with_batch(settings(halved, across, GROWN + 1, small, **grown), 4),
        ],
    )
    one, other = history(through), history(moved)
    assert sorted(one) == list(range(GROWN + 1, END + 1))
    # The step after growth has the loss that the small network has on these sequences.
    assert one[GROWN + 1]["loss"] == pytest.approx(history(small)[GROWN + 1]["loss"], abs=1e-5)
    assert [one[step]["grown"] for step in range(GROWN + 1, END + 1)] == [min(1.0, n / RAMP) for n in range(END - GROWN)]
    assert one[GROWN + 1]["lr"]["vector-like"] == pytest.approx(history(small)[GROWN + 1]["lr"]["vector-like"] / 3)
    for step, row in one.items():
        assert row["loss"] == pytest.approx(other[step]["loss"], abs=1e-5), step
        assert row["grad_norm"] == pytest.approx(other[step]["grad_norm"], abs=1e-5), step
    assert one[END]["loss"] < one[GROWN + 1]["loss"]
    assert checkpoint(through, END).state["adam_step"] == END
    for step, row in history(again).items():
        assert row["loss"] == pytest.approx(one[step]["loss"], rel=0.01), step
    assert sorted(history(again)) == list(range(GROWN + 1, GROWN + 5))
    # Another batch from here on: the place in the data goes on all the same.
    assert history(halved)[GROWN + 1]["tokens"] == (GROWN * 8 + 4) * SHAPE["context"]

    midst = unfinished(checkpoint(moved, GROWN + 3))
    assert midst is not None and midst[1] == 0.5
    with pytest.raises(ConfigError, match=f"train it to step {GROWN + RAMP}"):
        grow(settings(tmp_path / "next", both, END, in_its_midst(moved), **{**grown, "layers": 4}))
    last = checkpoint(through, END)
    assert unfinished(last) is None and Growth.of(last.state) is not None
    assert load_network(last).layers[2].share == 1.0 and load_network(last).norm.mask is None


def in_its_midst(run: Path) -> Path:
    """The run as it was before its last checkpoint."""
    checkpoint(run, END).path.rename(run / "the last one")
    return run


def test_what_a_grown_run_could_not_go_on_from_is_refused(tmp_path: Path) -> None:
    small = tmp_path / "small"
    write_encoded(small)
    alone = ParallelConfig(micro_batch=8, device="cpu", threads=1)
    with pytest.raises(ConfigError, match=r"grow\.source is not set"):
        grow(settings(tmp_path / "next", alone, END))
    with pytest.raises(ConfigError, match="no whole checkpoint"):
        grow(settings(tmp_path / "next", alone, END, small))
    config = settings(tmp_path / "next", alone, END, small)
    model = replace(config.model, vocab=58)
    weights = {name: value.detach() for name, value in build(model, 1).named_parameters()}
    mix = Blend(TokenData.read(str(small / "encode")), model.context, config.seed).hash
    state = {"model": model, "sequences": 48, "adam_step": 12, "mix": mix}
    path = consolidate(small / "pretrain/checkpoints", 12, state, weights)
    with pytest.raises(ConfigError, match="has made 12 already"):
        grow(replace(config, pretrain=replace(config.pretrain, steps=12)))
    whole = (path / "consolidated/layers.1.safetensors").read_bytes()
    (path / "consolidated/layers.1.safetensors").write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(ConfigError, match=r"layers\.1\.safetensors: its contents are not what was written"):
        grow(config)
    assert not (tmp_path / "next/pretrain/checkpoints/step-00000012").exists()
