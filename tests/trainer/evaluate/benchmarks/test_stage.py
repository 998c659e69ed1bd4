"""Benchmarks over an export, and over the checkpoints of a run as they appear."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core import storage
from core.config import ConfigError
from core.run import Run
from tests.trainer.evaluate.benchmarks.small_sets import put, write_sets
from tests.trainer.small_run import VOCABULARY, network, write_run
from trainer.checkpoint import consolidate
from trainer.config import ModelConfig, TrainConfig
from trainer.data.token_data import TokenDataError
from trainer.evaluate.benchmarks import code, companion
from trainer.evaluate.benchmarks import follow as following
from trainer.evaluate.benchmarks import stage as benchmarking
from trainer.evaluate.benchmarks.companion import followed
from trainer.evaluate.benchmarks.config import BenchmarkConfig, CodeConfig, FollowConfig
from trainer.evaluate.benchmarks.follow import due, follow
from trainer.evaluate.benchmarks.score import Score
from trainer.evaluate.benchmarks.stage import benchmark, exported
from trainer.evaluate.config import BesideConfig, ColumnConfig, TableConfig
from trainer.evaluate.stage import measured
from trainer.export.stage import export


def small(root: Path) -> TrainConfig:
    """A run with a checkpoint, and settings that keep two benchmarks small."""
    config = write_run(root / "run", context=160)
    folder = str(write_sets(root / "sets"))
    asked = FollowConfig(names=["arc", "c3"], limit=3, tokens=60)
    settings = BenchmarkConfig(
        folder=folder, names=["arc", "gsm8k", "c3"], limit=2, shots={"arc": 1}, follow=asked, device="cpu"
    )
    return replace(config, benchmark=settings)


def without_seconds(facts: dict[str, Any]) -> dict[str, Any]:
    return {
        key: without_seconds(value) if isinstance(value, dict) else value for key, value in facts.items() if key != "seconds"
    }


def test_the_scores_of_an_export_are_written_with_items_and_chance(tmp_path: Path) -> None:
    config = small(tmp_path)
    with pytest.raises(ConfigError, match="make export"):
        benchmark(config)
    export(config, Run(config.run))
    text = benchmark(config)
    facts = storage.read_json(f"{config.run}/benchmark/scores.json")
    assert list(facts["scores"]) == ["arc", "gsm8k", "c3"]
    arc = facts["scores"]["arc"]
    assert arc["items"] == 2 and arc["of"] == 4 and arc["shots"] == 1 and arc["chance"] == pytest.approx(100 / 3)
    assert storage.read_text(f"{config.run}/benchmark/tables.md") == text
    assert benchmark(config) == text
    again = storage.read_json(f"{config.run}/benchmark/scores.json")
    assert without_seconds(again) == without_seconds(facts)


def test_a_broken_set_and_a_sandbox_that_refuses_are_said_before_a_model_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, loads = small(tmp_path), []
    monkeypatch.setattr(benchmarking, "exported", lambda *given, **more: loads.append(given))
    monkeypatch.setattr(benchmarking, "score", lambda *given: {})
    put(tmp_path / "sets", "c3/c3-m-test.json", "[[")
    with pytest.raises(ConfigError, match="c3: JSONDecodeError"):
        benchmark(config)
    settings = replace(config.benchmark, names=["arc", "humaneval"])
    with pytest.raises(ConfigError, match="nothing was scored"):  # by the score above; no sandbox is asked for
        benchmark(replace(config, benchmark=settings))
    loads.clear()
    monkeypatch.setattr(code, "run_program", refuses)
    with pytest.raises(ConfigError, match="no sandbox"):
        benchmark(replace(config, benchmark=replace(settings, code=CodeConfig(run=True))))
    assert not loads


def refuses(program: str, limits: CodeConfig) -> int:
    raise ConfigError("no sandbox")


def test_another_model_is_kept_beside_and_ours_scores_the_same_by_both_ways(tmp_path: Path) -> None:
    config = small(tmp_path)
    export(config, Run(config.run))
    benchmark(config, f"{config.run}/export")
    other = storage.read_json(f"{config.run}/benchmark/run/scores.json")["scores"]
    assert not storage.exists(f"{config.run}/benchmark/scores.json")
    benchmark(config)
    ours = storage.read_json(f"{config.run}/benchmark/scores.json")["scores"]
    assert without_seconds(other) == without_seconds(ours)


def test_models_whose_folders_have_the_same_name_are_kept_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = small(tmp_path)
    row = Score("ARC", "english", "accuracy", 0.0, 0.0, 0.0, 1, 1, 0, 0.0, 0, "", 0.0)
    monkeypatch.setattr(benchmarking, "exported", lambda *given, **more: None)
    monkeypatch.setattr(benchmarking, "score", lambda *given: {"arc": row})
    for model in ("a/first/export", "b/first/export", "a/second/export", "a/llama", "b/llama", "a/first/export"):
        assert str(tmp_path) not in benchmark(config, str(tmp_path / model))
    found = {
        path.parent.name: storage.read_json(str(path))["export"].removeprefix(f"{tmp_path}/")
        for path in Path(config.run).glob("benchmark/*/scores.json")
    }
    assert found == {
        "first": "a/first/export", "b-first": "b/first/export", "second": "a/second/export", "llama": "a/llama",
        "b-llama": "b/llama",
    }  # fmt: skip


def test_the_start_and_the_ends_of_a_text_are_two_things(tmp_path: Path) -> None:
    config = small(tmp_path)
    export(config, Run(config.run))
    folder = f"{config.run}/export"
    readers = [
        exported(folder, replace(config.benchmark, start=start), 1, ours) for start in (None, 1) for ours in (True, False)
    ]
    assert [one.start for one in readers] == [2, 2, 1, 1] and all(one.ends == [2] for one in readers)
    settings = storage.read_json(f"{folder}/generation_config.json")
    storage.write_json(f"{folder}/generation_config.json", {**settings, "bos_token_id": 1, "eos_token_id": [2, 3]})
    foreign = exported(folder, config.benchmark, 1, ours=False)
    assert foreign.start == 1 and foreign.ends == [2, 3]


def test_answers_shortened_and_items_cut_are_said(tmp_path: Path) -> None:
    config = small(tmp_path)
    export(config, Run(config.run))
    text = benchmark(replace(config, benchmark=replace(config.benchmark, names=["gsm8k", "bbh"])))
    facts = storage.read_json(f"{config.run}/benchmark/scores.json")["scores"]
    assert "answers of at most 80 tokens, not 256" in facts["gsm8k"]["how"] and "answers of at most 80 tokens" in text
    assert facts["bbh"]["cut"] > 0 and "cut" in text


def test_checkpoints_are_scored_once_and_new_ones_after_them(tmp_path: Path) -> None:
    config = small(tmp_path)
    assert follow(config, lambda: True) == [20]
    row = storage.read_json(f"{config.run}/evolution/step-00000020.json")
    assert list(row["benchmarks"]) == ["arc", "c3"] and row["benchmarks"]["arc"]["items"] == 3
    assert set(row["domains"]) == {"WebText", "Code"} and row["bpb"] > 0
    assert follow(config, lambda: True) == []
    assert row["beside"] == {} and row["tables"] == {}
    model = ModelConfig(**{**vars(config.model), "vocab": VOCABULARY})
    weights = {name: value.detach() for name, value in network(model, seed=2).named_parameters()}
    consolidate(Path(config.run) / "pretrain" / "checkpoints", 40, {"model": model}, weights)
    assert follow(config, lambda: True) == [40]
    (Path(config.run) / "pretrain" / "began.json").write_text(json.dumps({"fingerprint": "another training", "at": ""}))
    assert follow(config, lambda: True) == [20, 40]


@pytest.mark.parametrize("moment", ["measured", "score"])
def test_the_scores_of_a_training_that_is_moved_aside_are_not_taken_for_the_next_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """A follower sees the folder of the training before until the ranks have moved it."""
    config, pretrain = small(tmp_path), tmp_path / "run" / "pretrain"
    (pretrain / "began.json").write_text(json.dumps({"fingerprint": "the old training", "at": ""}))
    config = replace(config, benchmark=replace(config.benchmark, follow=FollowConfig(names=["c3"], limit=1, wait=0.01)))
    model = ModelConfig(**{**vars(config.model), "vocab": VOCABULARY})
    weights = {name: value.detach() for name, value in network(model, seed=2).named_parameters()}
    asked, work = [False, True], getattr(following, moment)

    def moved(*given: Any) -> Any:
        if not (aside := pretrain.with_name("pretrain-aside")).exists():
            pretrain.rename(aside)
            if moment == "score":  # the new training has come as far before the old one's scores are there
                consolidate(pretrain / "checkpoints", 20, {"model": model}, weights)
            pretrain.mkdir(exist_ok=True)
            (pretrain / "began.json").write_text(json.dumps({"fingerprint": "the new training", "at": ""}))
        return work(*given)

    def over() -> bool:
        if not (pretrain / "checkpoints").exists():
            consolidate(pretrain / "checkpoints", 20, {"model": model}, weights)
        return asked.pop(0) if asked else True

    monkeypatch.setattr(following, moment, moved)
    assert follow(config, over) == [20]
    row = storage.read_json(f"{config.run}/evolution/step-00000020.json")
    alone = measured(replace(config, evaluate=replace(config.evaluate, tokens=4000)), Run(config.run))
    assert row["training"] == "the new training"
    assert row["domains"]["Code"]["loss"] == pytest.approx(alone["bpb"]["Code"]["loss"], rel=1e-6)


def test_checkpoints_that_were_removed_before_their_turn_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = small(tmp_path)
    saved = "".join(json.dumps({"step": step, "checkpoint_seconds": 0.1}) + "\n" for step in (5, 10, 15, 20))
    (Path(config.run) / "pretrain/log.jsonl").write_text(saved, encoding="utf-8")
    pretrain = replace(config.pretrain, steps=20, save_every=5)
    asked = replace(config.benchmark, follow=replace(config.benchmark.follow, every=2, names=["c3"], limit=1))
    assert follow(replace(config, pretrain=pretrain, benchmark=asked), lambda: True) == [20]
    assert "no scores of step 10, whose checkpoints training removed before" in capsys.readouterr().err


def test_held_out_text_that_cannot_be_read_ends_it_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(config: TrainConfig, run: Run) -> None:
        raise TokenDataError("the tokenizer does not keep text")

    monkeypatch.setattr(following, "measured", fails)
    with pytest.raises(ConfigError, match="does not keep text"):
        follow(small(tmp_path), lambda: True)


@pytest.mark.parametrize(("device", "kind", "seen"), [("cpu", "cpu", ""), ("7", "cuda", "7")])
def test_a_follower_leaves_training_its_devices_and_its_failure_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], device: str, kind: str, seen: str
) -> None:
    job = tmp_path / "job.py"
    job.write_text(
        "import os, sys\n"
        f"open({str(tmp_path / 'said')!r}, 'w').write(' '.join([*sys.argv[1:], os.environ['CUDA_VISIBLE_DEVICES']]))\n"
        "sys.stdin.read()\nsys.exit(3)\n"
    )
    monkeypatch.setattr(companion, "_JOB", job)
    asked = BenchmarkConfig(folder=str(write_sets(tmp_path / "sets")), follow=FollowConfig(names=["arc"], device=device))
    with followed(TrainConfig(run=str(tmp_path), benchmark=asked), ["--config", "a.yaml", "run=r"]):
        pass
    said = (tmp_path / "said").read_text()
    assert said == f"--config a.yaml run=r benchmark.device={kind} evaluate.device={kind} --while-fed {seen}"
    assert "ended with status 3" in capsys.readouterr().err


def test_a_model_beside_is_measured_once_on_the_text_of_the_checkpoints(tmp_path: Path) -> None:
    config = small(tmp_path)
    export(config, Run(config.run))
    english = TableConfig(columns={"Web": ColumnConfig(domains=["WebText"])}, weights={"L-Prop": {"Web": 1.0}})
    asked = replace(
        config.evaluate, ends=False, tables={"english": english}, beside={"again": BesideConfig(path=f"{config.run}/export")}
    )
    config = replace(config, evaluate=asked)
    assert follow(config, lambda: True) == [20]
    first = storage.read_json(f"{config.run}/evolution/step-00000020.json")
    other = first["beside"]["again"]["tables"]["english"]["sums"]["L-Prop"]
    assert other["bpb"] == pytest.approx(first["tables"]["english"]["sums"]["L-Prop"]["bpb"], rel=1e-5)
    model = ModelConfig(**{**vars(config.model), "vocab": VOCABULARY})
    weights = {name: value.detach() for name, value in network(model, seed=2).named_parameters()}
    consolidate(Path(config.run) / "pretrain" / "checkpoints", 40, {"model": model}, weights)
    assert follow(config, lambda: True) == [40]
    assert storage.read_json(f"{config.run}/evolution/step-00000040.json")["beside"] == {}


def test_every_how_many_th_checkpoint_and_the_last() -> None:
    assert due([100, 200, 300, 350], 2, 100, 350) == [200, 350]
    assert due([100, 200], 1, 100, 500) == [100, 200]
    assert due([500], 3, 0, 500) == [500]


def test_without_a_folder_nothing_is_started_beside_training(tmp_path: Path) -> None:
    with followed(TrainConfig(run=str(tmp_path)), []):
        assert not list(tmp_path.iterdir())


def test_files_that_are_missing_are_said_before_training(tmp_path: Path) -> None:
    config = TrainConfig(run=str(tmp_path), benchmark=BenchmarkConfig(folder=str(tmp_path / "sets")))
    with pytest.raises(ConfigError, match="has no files for arc"), followed(config, []):
        raise AssertionError("training must not begin")


@pytest.mark.slow
def test_a_follower_ends_when_training_does(tmp_path: Path) -> None:
    config = small(tmp_path)
    path = tmp_path / "run.yaml"
    shape = {name: value for name, value in vars(config.model).items() if value is not None}
    path.write_text(json.dumps({"run": config.run, "model": shape}), encoding="utf-8")
    given = [
        "--config", str(path), f"benchmark.folder={config.benchmark.folder}", "benchmark.follow.names=[arc,c3]",
        "benchmark.follow.limit=2", "benchmark.follow.wait=0.5", "pretrain.steps=20",
    ]  # fmt: skip
    with followed(config, given):
        pass
    assert storage.exists(f"{config.run}/evolution/step-00000020.json")


@pytest.mark.slow
def test_the_job_prints_the_tables(tmp_path: Path) -> None:
    config = small(tmp_path)
    export(config, Run(config.run))
    (tmp_path / "run.yaml").write_text("seed: 1\n")
    command = [
        sys.executable, "jobs/benchmark.py", "--config", str(tmp_path / "run.yaml"), f"run={config.run}",
        f"benchmark.folder={config.benchmark.folder}", "benchmark.limit=2", "benchmark.names=[arc,c3]",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[4])
    assert done.returncode == 0, done.stderr
    assert "| chance" in done.stdout and "ARC" in done.stdout
