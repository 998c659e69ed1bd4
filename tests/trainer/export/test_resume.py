"""A run that begins from an imported model: its first loss is the exported model's on that batch, and it learns."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from core.run import Run
from tests.trainer import worlds
from tests.trainer.growth.test_training import checkpoint, history, train
from tests.trainer.small_run import write_run
from tests.trainer.test_parity import layout
from trainer.config import OptimizerConfig, ParallelConfig, PretrainConfig, ScheduleConfig, TrainConfig
from trainer.data import Blend, TokenData
from trainer.evaluate.load import load_network
from trainer.export.bring_in import bring_in
from trainer.export.config import ExportConfig
from trainer.export.stage import export

STEPS, BATCH = 8, 8


def trained(config: TrainConfig, parallel: ParallelConfig, steps: int = STEPS) -> TrainConfig:
    optimizer, schedule = OptimizerConfig(lr=3e-3, lr_matrix=6e-3), ScheduleConfig(warmup=2, length=40)
    pretrain = PretrainConfig(steps=steps, batch=BATCH, validate_every=0, optimizer=optimizer, schedule=schedule)
    return replace(config, parallel=parallel, pretrain=pretrain)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["granite", "llama"])
def test_training_goes_on_from_an_imported_export(tmp_path: Path, form: Any) -> None:
    first = trained(write_run(tmp_path / "a"), layout(1, 2, 1))
    shutil.rmtree(tmp_path / "a" / "pretrain")  # the drawn weights: this run trains its own
    worlds.run(2, train, [first])
    export(replace(first, export=ExportConfig(form=form)), Run(first.run))

    (tmp_path / "b").mkdir()
    for stage in ("encode", "train_tokenizer"):
        (tmp_path / "b" / stage).symlink_to(tmp_path / "a" / stage)
    second = replace(trained(first, layout(2, 1, 1)), run=str(tmp_path / "b"))
    bring_in(second, str(tmp_path / "a" / "export"))
    worlds.run(2, train, [second])

    rows = history(tmp_path / "b")
    assert sorted(rows) == list(range(1, STEPS + 1))
    exported = load_network(checkpoint(tmp_path / "a", STEPS))
    data = TokenData.read(str(tmp_path / "a" / "encode"))
    batch = torch.from_numpy(Blend(data, first.model.context, first.seed).sequences(0, BATCH)[0]).long()
    with torch.no_grad():
        loss = exported.losses(batch[:, :-1].t(), batch[:, 1:].t()).mean()
    assert rows[1]["loss"] == pytest.approx(float(loss), rel=1e-5)
    assert rows[STEPS]["loss"] < rows[1]["loss"] < history(tmp_path / "a")[1]["loss"] - 0.5
    assert checkpoint(tmp_path / "b", STEPS).state["adam_step"] == STEPS
