"""The quality classifiers on hosts that they have not seen: AUC by language, beside length and form alone.

Reads the model card of a run (`--run`), or runs the line from the raw corpus up to `train_quality` first. The reference is
what a logistic regression on form tells (length, marks, digits, variety of tokens), on the same documents: what the words
add is the difference. Beside it: length only; source only (whose text it is: 0.5 on unseen hosts, more where a collection was
split document by document); and the AUC on each positive domain of a model that was trained without it, which is what the
classifier knows beyond its sources.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


def main(arguments: list[str]) -> Iterator[dict[str, Any]]:
    parser = argparse.ArgumentParser(prog="quality-auc", description=__doc__)
    parser.add_argument("--corpus", default="", help="a corpus; empty: the demo's own crawl")
    parser.add_argument("--run", default="", help="a run whose classifiers are trained; empty: train them now")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        run = Path(options.run or folder)
        if not options.run:
            train(run, options.corpus)
        cards = json.loads((run / "train_quality" / "model_card.json").read_text(encoding="utf-8"))
    for language, card in sorted(cards.items()):
        if not card["trained"]:
            print(f"{language}: not trained: {card['reason']}", file=sys.stderr)
            continue
        measured = card["unseen_hosts"]
        yield {
            "name": f"quality-auc.{language}",
            "value": measured["auc"],
            "unit": "AUC",
            "reference": "form alone",
            "reference_value": measured["auc_form_only"],
            "ratio": round(measured["auc"] / measured["auc_form_only"], 4),
            "bar": 0.90,
            "length_only": measured["auc_length_only"],
            "source_only": measured["auc_source_only"],
            "by_positive_domain": measured["auc_by_positive_domain"],
            "unseen_domains": card["unseen_domains"],
            "one_window": measured["auc_one_window"],
            "calibration_error": measured["calibration"]["error"],
            "documents": card["documents"],
            "test": card["split"]["test"],
        }
        if unseen := card["unseen_domains"].values():
            beyond, form = (sum(row[name] for row in unseen) / len(unseen) for name in ("auc", "auc_form_only"))
            yield {
                "name": f"quality-auc.{language}.beyond-sources",
                "value": round(beyond, 4),
                "unit": "mean AUC on positive domains that training did not see",
                "reference": "form alone",
                "reference_value": round(form, 4),
                "ratio": round(beyond / form, 4),
            }


def train(run: Path, corpus: str) -> None:
    """Runs every stage up to train_quality, one after another, as a user would."""
    name = "demo-corpus" if corpus else "demo"
    common = ["--config", f"configs/{name}.yaml", f"run={run}", *([f"corpus={corpus}"] if corpus else [])]
    stages = ("extract", "clean", "dedup_paragraphs", "train_quality")
    for stage in stages if corpus else ("crawl", *stages):
        command = [sys.executable, "jobs/line.py", "--only", stage, *common]
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
