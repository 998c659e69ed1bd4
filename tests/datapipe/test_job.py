"""Stages in one session: what does not add up is not committed, whatever the stage says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import datapipe.stages.clean as stage
from core.run import Run
from datapipe.config import DataConfig
from datapipe.job import PASSES_ON, chain, run_stages
from datapipe.work import Work


def facts(came: int, kept: int, removed: int, domain: str = "Book") -> dict[str, Any]:
    return {"in": came, "kept": kept, "removed": removed, "by_domain": {domain: {"in": came, "kept": kept, "removed": removed}}}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (facts(10, 6, 3), "Book: 6 kept, 3 removed, but 10 came in"),
        (facts(9, 6, 3), "Book: 10 and 9"),
        (facts(10, 6, 4, "Code"), "Book: 10 and 0, Code: 0 and 10"),
        ({"note": "all went well"}, "by_domain"),
    ],
)
def test_a_stage_whose_documents_do_not_add_up_is_not_done(
    given: dict[str, Any], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run(str(tmp_path / "run"))
    run.stage("extract").commit("given", facts(12, 10, 2), 0.0)

    def cleaned(work: Work) -> dict[str, Any]:
        return given

    monkeypatch.setattr(stage, "clean", cleaned)
    config = DataConfig(run=run.uri, corpus=str(tmp_path))
    with pytest.raises((RuntimeError, KeyError), match=words):
        run_stages(chain("clean", "clean", config), config, run, lambda: None)  # type: ignore[arg-type, return-value]
    assert run.stage("clean").manifest() is None


def test_every_stage_that_passes_documents_on_is_checked() -> None:
    assert PASSES_ON == {
        "extract", "clean", "dedup_paragraphs", "filter_quality", "dedup_documents", "decontaminate", "resample"
    }  # fmt: skip
