"""The model card: what the run wrote down of this very checkpoint, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from core import storage
from core.run import Run
from tests.trainer.small_run import write_run
from trainer.export.card import renew
from trainer.export.stage import export

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
