"""What a stage without a launcher leaves in the run's record."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from core import storage
from core.config import ConfigError, load, plain
from core.line import foreign
from core.run import Run
from tests.trainer.evaluate.benchmarks.small_sets import write_sets
from tests.trainer.small_run import write_run
from trainer.config import TrainConfig
from trainer.evaluate.benchmarks import stage as benchmarking
from trainer.stage import main, play

CONFIGS = Path(__file__).parents[2] / "configs"


def read(name: str, root: Path, *more: str) -> TrainConfig:
    return load(CONFIGS / name, [f"run={root / 'run'}", *more], TrainConfig, foreign("trainer"))


def test_a_cut_of_the_evaluation_leaves_the_settings_that_a_run_trains_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_run(tmp_path / "run")
    own = read("demo.yaml", tmp_path, "seed=7", "benchmark.limit=3")
    run = Run(own.run)
    run.record(plain(own))
    storage.write_json(run.stage("pretrain").path("began.json"), {"fingerprint": "of pretrain", "at": ""})

    def recorded() -> dict[str, Any]:
        kept: dict[str, Any] = yaml.safe_load((tmp_path / "run/config.yaml").read_text(encoding="utf-8"))
        return kept

    cut = read("evaluation/small.yaml", tmp_path, f"benchmark.folder={write_sets(tmp_path / 'sets')}")
    monkeypatch.setattr(benchmarking, "exported", lambda *given, **more: None)
    monkeypatch.setattr(benchmarking, "score", lambda *given: {})
    with pytest.raises(ConfigError, match="nothing was scored"):
        benchmarking.benchmark(cut)
    wanted = plain(own) | {"benchmark": plain(cut.benchmark)}
    assert recorded() == wanted
    play("evaluate", cut, lambda config, run: {})
    wanted["evaluate"] = plain(cut.evaluate)
    assert recorded() == wanted and list(recorded()["evaluate"]["tables"]) == ["english", "chinese"]
    assert recorded()["evaluate"]["tokens"] == 20_000


def test_a_run_that_has_not_begun_training_is_recorded_with_all_settings(tmp_path: Path) -> None:
    config = write_run(tmp_path / "run")
    play("evaluate", config, lambda config, run: {})
    assert yaml.safe_load((tmp_path / "run/config.yaml").read_text(encoding="utf-8")) == plain(config)


def test_a_stage_that_was_stopped_does_not_say_that_it_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(config: TrainConfig, run: Run) -> dict[str, Any]:
        raise KeyboardInterrupt

    own = write_run(tmp_path / "run")
    monkeypatch.setattr("sys.argv", ["evaluate.py", "--config", str(CONFIGS / "demo.yaml"), f"run={own.run}"])
    with pytest.raises(SystemExit) as ended:
        main("evaluate", None, stopped)
    assert ended.value.code == 130 and "stopped; the same command begins anew." in capsys.readouterr().err
