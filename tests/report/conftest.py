"""A small finished run, written by hand as the stages would leave it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

HOSTILE = "<script>alert('gone')</script> cheap & cheerful \u202e"


def counts(arrived: int, kept: int) -> dict[str, int]:
    return {"in": arrived, "kept": kept, "removed": arrived - kept, "bytes_in": 100 * arrived, "bytes_kept": 100 * kept}


def judged(by_domain: dict[str, tuple[int, int]], rule: str) -> dict[str, Any]:
    """The facts of a stage in which one rule removed everything that went."""
    rows = {domain: counts(*pair) for domain, pair in by_domain.items()}
    total = {name: sum(row[name] for row in rows.values()) for name in ("in", "kept", "removed", "bytes_in", "bytes_kept")}
    example = {
        "id": "00ab", "domain": "WebText", "language": "en", "source": "warc/a.warc.gz", "key": "12", "url": None,
        "rule": rule, "measure": 0.875, "bound": 0.3, "detail": "lines", "snippet": HOSTILE,
    }  # fmt: skip
    return {
        **total,
        "by_domain": rows,
        "by_rule": {rule: {domain: row["removed"] for domain, row in rows.items()}},
        "by_language": {"en": counts(total["in"], total["kept"])},
        "examples": {rule: [example]},
    }


class RunWriter:
    """Writes the files of a run below a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True)

    def stage(self, name: str, seconds: float = 2.0, **facts: Any) -> None:
        folder = self.root / name
        folder.mkdir(exist_ok=True)
        manifest = {"stage": name, "fingerprint": "f", "seconds": seconds, "at": "2026-01-01T00:00:00Z", **facts}
        (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")

    def write(self, name: str, value: Any) -> None:
        (self.root / name).parent.mkdir(exist_ok=True)
        (self.root / name).write_text(json.dumps(value), encoding="utf-8")

    def record(self, **config: Any) -> None:
        facts = {
            "began": "2026-01-01T00:00:00Z",
            "commit": "0123456789abcdef+",
            "python": "3.11.9",
            "packages": {"numpy": "2.0"},
        }
        (self.root / "run.json").write_text(json.dumps(facts), encoding="utf-8")
        (self.root / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")

    def log(self, *rows: dict[str, Any], tail: str = "") -> None:
        (self.root / "pretrain").mkdir(exist_ok=True)
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (self.root / "pretrain" / "log.jsonl").write_text(lines + tail, encoding="utf-8")


@pytest.fixture
def new_run(tmp_path: Path) -> Callable[[], RunWriter]:
    return lambda: RunWriter(tmp_path / "runs" / "small")


@pytest.fixture
def finished(new_run: Callable[[], RunWriter]) -> Path:
    """A run in which every stage is done."""
    run = new_run()
    asked = {"WebText": {"proportion": 75.21, "epochs": 1.0}, "Code": {"proportion": 9.81, "epochs": 2.5}}
    run.record(run="runs/small", seed=7, corpus="corpus/", resample={"mix": asked})
    run.stage("extract", 10.0, **judged({"WebText": (1000, 900), "Code": (300, 300)}, "extract.empty"))
    run.stage("clean", 75.0, **judged({"WebText": (900, 640), "Code": (300, 290)}, "gopher.bullet_lines"))
    mix = {
        "WebText": {
            "proportion": 0.75,
            "epochs": 1.0,
            "train_tokens": 6000,
            "validation_tokens": 60,
            "validation_utf8_bytes": 240,
        },
        "Code": {
            "proportion": 0.25,
            "epochs": 2.5,
            "train_tokens": 2000,
            "validation_tokens": 40,
            "validation_utf8_bytes": 160,
        },
    }
    run.stage("encode", mix=mix)
    run.stage(
        "pretrain",
        steps=3,
        first_loss=9.1,
        last_loss=6.4,
        tokens_per_second=512.5,
        epochs={"WebText": 1.5, "Code": 1.5},
    )
    usual = {"grad_norm": 1.5, "lr": {"vector-like": 1e-3, "matrix-like": 2e-3}, "tokens_per_second": 500.0}
    run.log(
        {"step": 1, "tokens": 100, "loss": 9.1, **usual},
        {"step": 2, "tokens": 200, "loss": 8.9, **usual},
        {"step": 2, "validation": {"WebText": {"loss": 8.0, "bpb": 2.9}, "Code": {"loss": 7.0, "bpb": 2.5}}},
        {"step": 2, "tokens": 200, "loss": 7.5, **usual},
        {"step": 3, "tokens": 300, "loss": 6.4, **usual},
        {"step": 3, "event": "spike", "message": "The loss rose & fell at step 3."},
        {"step": 3, "validation": {"WebText": {"loss": 6.0, "bpb": 2.2}, "Code": {"loss": 5.0, "bpb": 1.8}}},
        tail='{"step": 4, "lo',
    )
    run.stage(
        "evaluate",
        context="Blocked context.",
        tables={
            "english": {
                "columns": {"WebText": {"loss": 6.0, "bpb": 2.164}},
                "sums": {"L-Prop": {"loss": 6.0, "bpb": 2.164, "covered": 0.82}},
            }
        },
        bpb={
            "WebText": {"loss": 6.0, "bpb": 2.164, "tokens": 60, "utf8_bytes": 240, "unigram_loss": 7.0},
            "Code": {"loss": 5.0, "bpb": 1.803, "tokens": 4000, "utf8_bytes": 16000, "unigram_loss": 6.5},
        },
        beside={
            "llama": {
                "bpb": {"WebText": {"bpb": 1.5}, "Code": {"bpb": 1.0}},
                "tables": {"english": {"columns": {}, "sums": {"L-Prop": {"loss": 4.0, "bpb": 1.5, "covered": 0.82}}}},
                "context": 2048,
            }
        },
    )
    run.stage("export")
    score = {
        "title": "ARC", "table": "english", "metric": "accuracy", "score": 31.25, "error": 2.5, "chance": 25.0, "items": 40,
        "of": 1172, "shots": 25, "fitted": 3.0, "cut": 2, "how": "the Challenge questions", "seconds": 1.0,
    }  # fmt: skip
    run.write("benchmark/scores.json", {"model": "small", "scores": {"arc": score}})
    for step, tokens, loss, level in ((2, 200, 7.5, 24.0), (3, 300, 5.5, 31.5)):
        stand: dict[str, Any] = {"training": None, "step": step, "tokens": tokens, "loss": loss, "bpb": loss / 3}
        totals = {name: {"bpb": loss / 3, "covered": 1.0} for name in ("L-Prop", "F-Prop")}
        stand["tables"] = {"english": {"sums": totals}, "chinese": {"sums": {"Weighted Sum": {"bpb": loss / 2}}}}
        sums = {"english": {"sums": {"L-Prop": {"bpb": 0.9}}}}
        stand["beside"] = {"llama": {"tables": sums}} if step == 2 else {}
        run.write(f"evolution/step-{step:08d}.json", {**stand, "benchmarks": {"arc": {**score, "score": level}}})
    run.write("evolution/step-00000009.json", {**stand, "step": 9, "training": "an earlier one", "benchmarks": {}})
    return run.root
