"""Benchmarks and their course over checkpoints, as the page shows them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html import unescape
from pathlib import Path

from core.run import Run
from report.config import ReportConfig
from report.evolution import evolution, read_evolution
from report.make import make
from tests.report.conftest import RunWriter
from tests.report.test_make import page_of, summary_of


def test_each_score_stands_beside_chance_and_the_number_of_items(finished: Path) -> None:
    text = page_of(finished).text
    assert "English (the report's Table 7) – average of 1 of 8: 31.25" in text
    assert "ARC the Challenge questions 31.25 2.50 25.00 40 1,172 25 3.0 2 accuracy" in text
    assert summary_of(finished)["benchmarks"]["arc"] == {"score": 31.25, "error": 2.5, "chance": 25.0, "items": 40, "of": 1172}


def test_scores_of_another_training_or_step_are_not_shown_as_this_models(finished: Path) -> None:
    place, made = finished / "benchmark/scores.json", finished / "export/manifest.json"
    scores, export = json.loads(place.read_text()), json.loads(made.read_text())

    def shown(training: str, step: int) -> str:
        place.write_text(json.dumps({**scores, "training": training, "step": step}))
        text = page_of(finished).text
        assert ("the Challenge questions" in text) == ("benchmarks" in summary_of(finished))
        return text

    (finished / "pretrain/began.json").write_text(json.dumps({"fingerprint": "this", "at": ""}))
    made.write_text(json.dumps({**export, "training": "this", "step": 1200}))
    assert "Step 1,200. Scores in percent" in shown("this", 1200)
    assert "are of step 1,200 of an earlier training in this folder." in shown("that", 1200)
    text = shown("this", 400)
    assert "are of step 400; the export is of step 1,200." in text and "31.25" not in text


def test_validation_says_of_which_step_and_training_it_is(finished: Path) -> None:
    place = finished / "evaluate/manifest.json"
    facts = json.loads(place.read_text())
    (finished / "pretrain/began.json").write_text(json.dumps({"fingerprint": "this", "at": ""}))
    for training, said in (("this", "Step 1,200. Blocked"), ("that", "Step 1,200 of an earlier training in this folder:")):
        place.write_text(json.dumps({**facts, "training": training, "step": 1200}))
        assert said in page_of(finished).text


def test_scores_over_the_checkpoints_are_listed_and_drawn_over_tokens_and_over_loss(finished: Path) -> None:
    text = page_of(finished).text
    assert "2 200 7.500 2.500 24.0 3 300 5.500 1.833 31.5 chance 25.0 items 40" in text
    make(ReportConfig(run=str(finished)))
    html = (finished / "report" / "index.html").read_text(encoding="utf-8")
    drawn = {
        (axis, curve["name"]): curve["values"]
        for axis, found in re.findall(r'data-x="([^"]*)"[^>]*data-curves="([^"]*)"', html)
        for curve in json.loads(unescape(found))
    }
    assert drawn["tokens", "ARC"] == [[200, 24.0], [300, 31.5]]
    assert drawn["validation loss", "ARC"] == [[5.5, 31.5], [7.5, 24.0]]
    assert drawn["tokens", "BPB"] == [[200, 2.5], [300, 1.8333]]


def test_weighted_sums_are_drawn_over_tokens_with_a_level_for_each_model_beside(finished: Path) -> None:
    found = evolution(read_evolution(Run(str(finished))))
    assert found is not None and found.beside == ["llama"]
    assert [one.title for one in found.sums] == ["English, L-Prop", "English, F-Prop", "Chinese, Weighted Sum"]
    lines = {one.title: {curve.name: curve.values for curve in one.curves} for one in found.sums}
    assert lines["English, L-Prop"] == {"this run": [(200, 2.5), (300, 1.8333)], "llama": [(200, 0.9), (300, 0.9)]}
    assert lines["Chinese, Weighted Sum"] == {"this run": [(200, 3.75), (300, 2.75)]}
    assert "Weighted sums of bits per byte over tokens seen" in page_of(finished).text


def test_scores_of_another_training_in_the_same_folder_are_left_out(finished: Path) -> None:
    assert [row["step"] for row in read_evolution(Run(str(finished)))] == [2, 3]
    assert evolution([]) is None


def test_what_has_not_been_scored_is_said(new_run: Callable[[], RunWriter]) -> None:
    run = new_run()
    run.record(run="runs/small")
    run.log({"step": 1, "tokens": 10, "loss": 5.0})
    text = page_of(run.root).text
    assert "make benchmark BENCHMARKS=folder" in text and "make pretrain BENCHMARKS=folder" in text
