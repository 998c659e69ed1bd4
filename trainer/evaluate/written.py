"""What evaluate found, as Markdown: by domain, and as the report's Tables 5 and 6, ours beside other models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trainer.evaluate.markdown import figure, table

OURS = "this run"


def written(facts: Mapping[str, Any]) -> str:
    """The facts of the manifest as text: how it was measured, bits per byte by domain, then each table."""
    beside: Mapping[str, Any] = facts["beside"]
    models = {OURS: facts, **beside}
    windows = [f"{name}: windows of {found['context']:,} of its own tokens." for name, found in beside.items()]
    said = " ".join([facts["context"], *windows])
    parts = [f"# Validation of {facts['checkpoint']}", said, "## By domain", _domains(facts, beside)]
    for name, one in facts["tables"].items():
        if one["columns"]:
            parts += [f"## {name.capitalize()}", *_table(name, models)]
    return "\n\n".join(parts) + "\n"


def _domains(facts: Mapping[str, Any], beside: Mapping[str, Any]) -> str:
    head = ["domain", "loss", "BPB", *(f"{name}, BPB" for name in beside), "unigram loss", "tokens", "UTF-8 bytes"]
    rows = []
    for domain, row in facts["bpb"].items():
        others = [figure(other["bpb"][domain]["bpb"]) if domain in other["bpb"] else figure(None) for other in beside.values()]
        own = [figure(row["loss"]), figure(row["bpb"]), *others, figure(row.get("unigram_loss"))]
        rows.append([domain, *own, f"{row['tokens']:,}", f"{row['utf8_bytes']:,}"])
    return table(head, rows)


def _table(name: str, models: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """One table for losses and one for bits per byte: a row a model, the columns with text, then the weighted sums."""
    ours = models[OURS]["tables"][name]
    made = []
    for label, key in (("loss", "loss"), ("BPB", "bpb")):
        rows = []
        for model, facts in models.items():
            found = facts["tables"][name]
            cells = [found["columns"].get(column, {}).get(key) for column in ours["columns"]]
            sums = [found["sums"].get(total, {}).get(key) for total in ours["sums"]]
            rows.append([model, *map(figure, cells), *map(figure, sums)])
        made.append(table([label, *ours["columns"], *ours["sums"]], rows))
    covered = min((row["covered"] for row in ours["sums"].values()), default=1.0)
    if covered < 0.9995:
        made.append(f"The sums cover {covered:.1%} of the weight; the other columns had no text.")
    return made
