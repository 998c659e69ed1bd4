"""The model card: what the run wrote down of this very checkpoint, and nothing else."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core import storage
from core.run import Run
from tests.trainer.evaluate.benchmarks.small_sets import write_sets
from tests.trainer.small_run import VOCABULARY, network, write_run
from trainer.checkpoint import consolidate
from trainer.config import ModelConfig, TrainConfig
from trainer.evaluate.benchmarks import stage as benchmarking
from trainer.evaluate.benchmarks.config import BenchmarkConfig
from trainer.evaluate.benchmarks.score import Score
from trainer.evaluate.benchmarks.stage import benchmark
from trainer.evaluate.stage import evaluate
from trainer.export.card import renew
from trainer.export.stage import export
from trainer.stage import play

ARC: dict[str, Any] = dict(
    title="ARC", table="english", metric="acc_norm", score=31.25, error=2.5, chance=24.75, items=100, of=1172, shots=25,
    fitted=3.4, cut=0, how="", seconds=1.0,
)  # fmt: skip


def card(run: Run) -> str:
    return Path(run.stage("export").path("README.md")).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("place", "key"), [("benchmark/scores.json", "scores"), ("evolution/step-00000020.json", "benchmarks")], ids=str
)
def test_the_card_has_the_scores_of_its_checkpoint(tmp_path: Path, place: str, key: str) -> None:
    config = write_run(tmp_path)
    run = Run(config.run)
    run.stage("pretrain").begin("this one")
    facts = export(config, run)
    run.stage("export").commit("of export", facts, 1.0)
    assert "Benchmarks" not in card(run)
    for about in ({"training": "this one", "step": 10}, {"training": "another", "step": 20}):
        storage.write_json(str(tmp_path / place), {**about, key: {"arc": ARC}})
        renew(run)
        assert "Benchmarks" not in card(run)
    storage.write_json(str(tmp_path / place), {"training": "this one", "step": 20, key: {"arc": ARC}})
    renew(run)
    assert re.search(r"\| ARC +\| +31.25 \| +24.75 \| +±2.50 \| 100 of 1,172 \| 25 \(3.4\) \| acc_norm \|", card(run))


def test_the_card_has_the_validation_of_its_checkpoint_alone(tmp_path: Path) -> None:
    config = write_run(tmp_path)
    run = Run(config.run)
    storage.write_json(str(tmp_path / "pretrain/began.json"), {"fingerprint": "this one", "at": ""})
    run.stage("export").commit("of export", export(config, run), 1.0)
    found = evaluate(config, run)
    assert (found["training"], found["step"]) == ("this one", 20)
    for about, said in (({"step": 10}, False), ({"training": "another"}, False), ({}, True)):
        run.stage("evaluate").commit("of evaluate", {**found, **about}, 1.0)
        renew(run)
        assert ("## Validation" in card(run)) == said


def test_the_loss_of_the_last_step_is_not_said_of_an_earlier_one(tmp_path: Path) -> None:
    config = write_run(tmp_path)
    run = Run(config.run)
    facts = export(config, run)
    run.stage("export").commit("of export", facts, 1.0)
    assert "20 steps, loss from 5.700 to 5.500 nats per token." in card(run)
    trained = run.stage("pretrain").manifest() or {}
    for steps, said in ((30, "20 steps of 30."), (0, "20 steps.")):
        run.stage("pretrain").commit("of pretrain", {**trained, "steps": steps}, 1.0)
        renew(run)
        assert said in card(run) and "loss from" not in card(run)


def trained_anew(config: TrainConfig, fingerprint: str, step: int = 20) -> None:
    """Another training in the run's folder, with other weights."""
    folder = Path(config.run) / "pretrain"
    storage.write_json(str(folder / "began.json"), {"fingerprint": fingerprint, "at": ""})
    storage.write_json(str(folder / "manifest.json"), {"stage": "pretrain", "fingerprint": fingerprint, "steps": 0})
    model = ModelConfig(**{**vars(config.model), "vocab": VOCABULARY})
    weights = {name: value.detach() for name, value in network(model, seed=9).named_parameters()}
    consolidate(folder / "checkpoints", step, {"model": model}, weights)


def test_the_scores_of_an_export_are_not_those_of_a_later_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    config, readme = write_run(tmp_path / "run"), tmp_path / "run/export/README.md"
    config = replace(config, benchmark=BenchmarkConfig(folder=str(write_sets(tmp_path / "sets")), names=["arc"]))
    monkeypatch.setattr(benchmarking, "exported", lambda *given, **more: None)
    monkeypatch.setattr(benchmarking, "score", lambda *given: {"arc": Score(**ARC)})
    trained_anew(config, "the first")
    play("export", config, export)
    assert benchmark(config).startswith("# Benchmarks of run, step 20\n")
    first = readme.read_text()
    assert "## Benchmarks" in first and "earlier training" not in capsys.readouterr().err
    trained_anew(config, "the second")
    benchmark(config)
    assert "is of an earlier training; `make export`" in capsys.readouterr().err
    facts = storage.read_json(f"{config.run}/benchmark/scores.json")
    assert (facts["training"], facts["step"]) == ("the first", 20) and readme.read_text() == first
    play("export", config, export)
    assert "## Benchmarks" not in readme.read_text()
    benchmark(config)
    assert storage.read_json(f"{config.run}/benchmark/scores.json")["training"] == "the second"
    assert "## Benchmarks" in readme.read_text()
