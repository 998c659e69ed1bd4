"""A trial's name and its command: what its weights depend on, and the devices of its slot."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from core import storage
from core.config import ConfigError, load
from core.line import foreign
from core.run import Run
from tests.trainer.tokens import write_encoded
from tests.trainer.worlds import ROOT, tiny
from trainer.config import (
    GrowConfig,
    MonitorConfig,
    ParallelConfig,
    PredictConfig,
    ScheduleConfig,
    SearchConfig,
    TrainConfig,
    TransferConfig,
)
from trainer.growth.grow import grow
from trainer.launch import command
from trainer.search import trials
from trainer.search.predict import predict
from trainer.search.search import search
from trainer.search.slots import cut


@pytest.fixture
def run(tmp_path: Path) -> Run:
    write_encoded(tmp_path)
    return Run(str(tmp_path))


@pytest.mark.parametrize(
    "command, given",
    [
        (search, {"run": "memory://b/x"}),
        (predict, {"run": "memory://b/x"}),
        (grow, {"run": "memory://b/x", "grow": GrowConfig(source="runs/small")}),
        (grow, {"run": "runs/next", "grow": GrowConfig(source="memory://b/x")}),
        (predict, {"run": "runs/next", "predict": PredictConfig(widths=[32, 48, 64], reached="memory://b/x")}),
    ],
)
def test_what_trains_is_refused_in_an_object_store(
    command: Callable[[TrainConfig], Any], given: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its files would else go to a folder named memory: below the one that the command is given in."""
    monkeypatch.chdir(tmp_path)
    write_encoded(tmp_path / "runs/next")
    manifest = (tmp_path / "runs/next/encode/manifest.json").read_text(encoding="utf-8")
    storage.write_text("memory://b/x/encode/manifest.json", manifest)
    config = replace(tiny(), search=SearchConfig(grid={"lr": [0.01, 0.02]}), predict=PredictConfig(widths=[32, 48, 64]))
    config = replace(config, transfer=TransferConfig(target=str(ROOT / "configs/search/small-target.yaml")))
    with pytest.raises(ConfigError, match=r" = memory://b/x: .* not an object store; give such a path"):
        command(replace(config, **given))
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]


def of(config: TrainConfig, **pretrain: Any) -> TrainConfig:
    return replace(config, pretrain=replace(config.pretrain, **pretrain))


def test_a_trial_is_named_by_what_its_weights_depend_on(run: Run) -> None:
    config = tiny()
    name = trials.trial(config, run).folder.name
    assert trials.trial(replace(config, parallel=ParallelConfig(micro_batch=2)), run).folder.name == name
    assert trials.trial(replace(config, seed=6), run).folder.name != name
    assert trials.trial(replace(config, model=replace(config.model, ffn=64)), run).folder.name != name
    made = trials.trial(config, run).config.pretrain
    assert made.schedule.length == made.steps == 20  # it falls as the whole run's does, wherever a rung stops it


def test_what_may_change_on_the_way_is_no_part_of_the_name(run: Run) -> None:
    config = tiny()
    name = trials.trial(config, run).folder.name
    monitor = MonitorConfig(window=16, interval=0.2)
    for other in (
        {"save_every": 7},
        {"keep": 5},
        {"keep_every": 3},
        {"log_every": 9},
        {"norms_every": 2},
        {"monitor": monitor},
    ):
        assert trials.trial(of(config, **other), run).folder.name == name, other
    # Rows of a log that others read, and a monitor that acts upon the run, make another trial.
    acting = replace(monitor, policy="skip")
    for other in ({"validate_every": 7}, {"validate_sequences": 2}, {"monitor": acting}, {"batch": 16}):
        assert trials.trial(of(config, **other), run).folder.name != name, other
    assert trials.trial(of(config, log_every=9), run).config.pretrain.log_every == 1


def test_more_steps_are_the_same_trial_where_its_schedule_does_not_end_with_it(run: Run) -> None:
    def name(steps: int, schedule: ScheduleConfig) -> str:
        return trials.trial(of(tiny(), steps=steps, schedule=schedule), run).folder.name

    assert name(20, ScheduleConfig(length=100)) == name(40, ScheduleConfig(length=100))
    assert name(20, ScheduleConfig(kind="constant")) == name(40, ScheduleConfig(kind="constant"))
    assert name(20, ScheduleConfig()) != name(40, ScheduleConfig())


def test_what_a_trial_has_reached_outlives_its_manifest(tmp_path: Path) -> None:
    one = trials.Trial(tmp_path, tiny())
    assert one.reached == one.saved == 0
    (tmp_path / "reached.json").write_text(json.dumps({"step": 10}), encoding="utf-8")
    assert one.reached == 10  # the next leg is under way, and was killed
    for name in ("step-00000024", "step-00000032.damaged"):
        (tmp_path / "pretrain/checkpoints" / name).mkdir(parents=True)
    (tmp_path / "pretrain/manifest.json").write_text(json.dumps({"steps": 20}), encoding="utf-8")
    assert one.reached == 20 and one.saved == 24  # it came to its end, but the search was killed beside it


def test_on_gpus_the_command_of_each_trial_names_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,3,4,5")
    parallel = ParallelConfig(data=2, micro_batch=4)
    there = cut(parallel, 2)[1].environment(parallel, {})
    # With --num_gpus DeepSpeed would forget the variable.
    started = command("pretrain", parallel, [], 1, there)
    assert "--include=localhost:4,5" in started and not any("num_gpus" in word for word in started)
    assert "--num_gpus=2" in command("pretrain", replace(parallel, device="cpu"), [], 1, there)


def test_on_hosts_the_command_of_each_trial_names_its_own(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five trials of 4 ranks on two hosts of 8, two and a half rounds: what is run, from what the trial's own files say."""
    hosts = tmp_path / "hosts"
    hosts.write_text("node1 slots=8\nnode2 slots=8\n", encoding="utf-8")
    monkeypatch.setenv("NODE_RANK", "1")  # as a scheduler sets it; the search starts its trials by ssh
    monkeypatch.setenv("MASTER_ADDR", "elsewhere")
    base = tiny(ParallelConfig(data=4, micro_batch=2, hostfile=str(hosts)))
    seen: dict[str, list[str]] = {}

    def started(words: list[str], env: dict[str, str], **_: Any) -> Any:
        folder = Path(next(word for word in words if word.startswith("run="))[4:])
        config = load(folder / "trial.yaml", [], TrainConfig, foreign("trainer"))
        seen[folder.name] = command("pretrain", config.parallel, words[4:], 1, env)
        return type("Ended", (), {"returncode": 0})

    monkeypatch.setattr(trials.subprocess, "run", started)
    monkeypatch.setattr("os.cpu_count", lambda: 16)
    made = [trials.trial(replace(base, seed=seed), run) for seed in range(5)]
    trials.bring_to(made, [10] * 5, run, slots=4)
    assert len(seen) == 5
    includes = {word for words in seen.values() for word in words if word.startswith("--include=")}
    assert includes <= {f"--include=node{host}:{devices}" for host in (1, 2) for devices in ("0,1,2,3", "4,5,6,7")}
    assert all({f"--hostfile={hosts}", "--force_multi"} <= set(words) for words in seen.values())
    assert not any(word.startswith(("--no_ssh", "--node_rank", "--master_addr")) for words in seen.values() for word in words)
    ports = {include: {w for words in seen.values() if include in words for w in words if "_port" in w} for include in includes}
    assert all(len(found) == 1 for found in ports.values()) and len(set.union(*ports.values())) == len(ports)
    settings = yaml.safe_load((made[0].folder / "trial.yaml").read_text())
    assert settings["parallel"]["threads"] == 2  # two trials of 4 ranks on each host of 16 cores
    with pytest.raises(ConfigError, match=r"6 trials at a time of 4 ranks each do not fit on the devices, 8 \+ 8 of"):
        trials.bring_to([trials.trial(replace(base, seed=seed), run) for seed in range(10, 16)], [10] * 6, run, slots=8)
