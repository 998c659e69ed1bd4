"""Search, prediction and growth on the page, from what those commands leave in a run."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.run import Run
from report.scaling import read_scaling
from tests.report.conftest import HOSTILE, RunWriter
from tests.report.test_make import page_of

SVG = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def trial(name: str, lr: float, loss: float | None, status: str = "finished", step: int = 200) -> dict[str, Any]:
    figures = {"loss": loss, "rate": 0.3, "trend": 0.01, "norm": -0.2, "spread": 0.1}
    combination = {"lr": lr, "min_lr": lr / 10}
    return {"name": name, "combination": combination, "status": status, "step": step, "figures": figures, "score": loss}


def searched(run: RunWriter) -> None:
    trials = [trial("best", 4e-3, 2.5), trial("other", 8e-3, 2.75), trial("wild", 1.0, None, "broke", 17)]
    sensitivity = [{"name": "lr", "pairs": 1, "change": 0.25, "size": 0.25}, {"name": "min_lr", "pairs": 0, "change": None}]
    run.write("search/table.json", {"trials": trials, "sensitivity": sensitivity})
    run.write("search/chosen.json", {"combination": trials[0]["combination"], "trial": "best", "base_hidden": 64})
    (run.root / "search/curves.svg").write_text(SVG, encoding="utf-8")


def foretold(run: RunWriter, reached: dict[str, Any] | None) -> None:
    curve = [{"tokens": 1000 * n, "loss": 3.0 - n / 10, "half_width": 0.05} for n in (1, 2)]
    worse = [{"narrow": 32, "wide": 64, "windows": 20, "worse": 3, "most": 0.0125, "last": -0.2}]
    facts = {"target": {"parameters": 1234567, "model": {"hidden": 256}}, "widths": {"32": {}, "64": {}, "96": {}}}
    run.write("predict/prediction.json", {**facts, "curve": curve, "wider_is_worse": worse, "reached": reached})


def test_the_search_its_choice_and_its_sensitivities(new_run: Callable[[], RunWriter]) -> None:
    run = new_run()
    run.record()
    searched(run)
    page = page_of(run.root)
    assert "best 0.004 0.0004 2.5000 0.3000 0.0100 -0.2000 0.1000 2.5000 chosen" in page.text
    assert "other 0.008 0.0008 2.7500" in page.text and "finished" in page.text
    assert "– 0.3000 0.0100 -0.2000 0.1000 – broke at 17" in page.text
    assert "Chosen: lr 0.004, min_lr 0.0004, at a width of 64." in page.text
    assert "lr +0.2500 1 min_lr – 0" in page.text
    (drawing,) = page.outside  # inside the file, and as an image, in which no script runs
    assert base64.b64decode(drawing.removeprefix("data:image/svg+xml;base64,")).decode() == SVG
    (run.root / "search/chosen.json").unlink()
    assert "nothing is chosen" in page_of(run.root).text


def test_a_prediction_beside_what_was_reached(new_run: Callable[[], RunWriter]) -> None:
    run = new_run()
    run.record()
    foretold(run, None)
    text = page_of(run.root).text
    assert "1,234,567 parameters, 256 wide, from 3 narrower ones" in text and "No run of that model" in text
    assert "1,000 2.9000 0.0500 – – 2,000 2.8000 0.0500 – –" in text
    assert "Width 64 was worse than 32 in 3 of 20 windows of the same data, by 0.0125 at most." in text
    place = {"tokens": 1000, "foretold": 2.9, "half_width": 0.05, "loss": 2.97, "inside": False}
    foretold(run, {"run": HOSTILE, "tokens": 1500, "places": [place], "notes": ["pretrain.batch: 32, not 16"]})
    text = page_of(run.root).text
    assert "1,000 2.9000 0.0500 2.9700 +0.0700 outside the interval 2,000 2.8000 0.0500 – –" in text
    assert "had come to 1,500 tokens" in text and "pretrain.batch: 32, not 16" in text and HOSTILE[:20] in text


def test_the_growth_of_the_newest_checkpoint(new_run: Callable[[], RunWriter]) -> None:
    run = new_run()
    run.record()
    growth = {"begun": 400, "mask_steps": 50, "warmup": 20, "hidden": 128, "heads": 4, "ffn": 344, "new_layers": [4]}
    model = {"hidden": 160, "heads": 5, "ffn": 432, "layers": 5}

    def saved(step: int) -> Path:
        folder = run.root / f"pretrain/checkpoints/step-{step:08d}"
        folder.mkdir(parents=True)
        (folder / "state.json").write_text(json.dumps({"step": step, "growth": growth, "model": model}), encoding="utf-8")
        return folder

    saved(400)
    saved(420)
    text = page_of(run.root).text
    assert "hidden heads ffn layers before 128 4 344 4 since 160 5 432 5" in text and "40.0 % of it counts" in text
    saved(600)
    assert "they are gone" in page_of(run.root).text


def test_a_run_without_any_of_it_has_no_such_section(finished: Path) -> None:
    assert read_scaling(Run(str(finished))).empty
    assert "Scaling" not in page_of(finished).text
