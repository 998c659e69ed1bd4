"""Which run a folder goes on with, and what is refused before anything in it is touched."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.config import ConfigError
from core.run import Run
from tests.trainer.test_checkpoint import save
from tests.trainer.worlds import tiny
from trainer.config import ScheduleConfig, TrainConfig
from trainer.pretrain import begin


def settings(steps: int, schedule: ScheduleConfig) -> TrainConfig:
    config = tiny(steps=steps)
    return replace(config, pretrain=replace(config.pretrain, schedule=schedule))


@pytest.mark.parametrize("schedule", [ScheduleConfig(kind="constant"), ScheduleConfig(length=40)])
def test_an_end_before_the_newest_checkpoint_is_refused(tmp_path: Path, schedule: ScheduleConfig) -> None:
    """The log would lose what was trained since, and with no earlier checkpoint the run would begin at step 0."""
    directory = Run(str(tmp_path)).stage("pretrain")
    begin(directory, settings(12, schedule), "shards")
    saved = save(tmp_path / "pretrain/checkpoints", 8)
    directory.commit("it has ended once", {"steps": 12, "batch": {"batch": 8, "ramp": [], "batch_unit": "sequences"}}, 1.0)
    with pytest.raises(ConfigError) as refused:
        begin(directory, settings(6, schedule), "shards")
    assert str(refused.value).startswith(f"pretrain.steps = 6 lies before {saved}, and what was trained since would be lost; ")
    assert str(refused.value).endswith(f"set pretrain.steps to 8 or more, or move {tmp_path}/pretrain away to begin anew.")
    assert directory.manifest() is not None, "nothing was touched"
    begin(directory, settings(8, schedule), "shards")
    assert saved.exists()


def test_a_shorter_run_whose_schedule_ends_with_it_begins_anew(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    directory = Run(str(tmp_path)).stage("pretrain")
    begin(directory, settings(12, ScheduleConfig()), "shards")
    (tmp_path / "pretrain/checkpoints/step-00000008").mkdir(parents=True)
    begin(directory, settings(6, ScheduleConfig()), "shards")
    assert "begins anew, for pretrain.steps = 6, before 12; what was there is set aside as" in capfd.readouterr().out
