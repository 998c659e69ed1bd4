"""Benchmarks of the exported model, and how scores and bits per byte went over a run's checkpoints (Figures 3 and 4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core import storage
from core.run import Run
from report.chart import Chart, chart, series

HEADS = {"english": ("English (the report's Table 7)", 8), "chinese": ("Chinese (the report's Table 8)", 5)}
"""Each table's head, and how many benchmarks the report's has."""


@dataclass(frozen=True)
class Scores:
    """A table of scores in percent: `average` over the benchmarks that were scored, out of the `of` that the report's has."""

    head: str
    of: int
    average: float
    rows: list[Mapping[str, Any]]


@dataclass(frozen=True)
class Stand:
    """A checkpoint: tokens seen, loss and bits per byte of all held-out text, the score of each benchmark by title."""

    step: int
    tokens: float | None
    loss: float
    bpb: float
    scores: Mapping[str, float]


@dataclass(frozen=True)
class Evolution:
    """All checkpoints that were scored, in order; chance and items by title; what is drawn over tokens and over loss; the
    weighted sums of the tables over tokens, with levels of the models `beside`."""

    stands: list[Stand]
    titles: list[str]
    chance: Mapping[str, float]
    items: Mapping[str, int]
    over_tokens: list[Chart]
    over_loss: list[Chart]
    sums: list[Chart]
    beside: list[str]


def read_scores(run: Run) -> tuple[Mapping[str, Any], str]:
    """(what `make benchmark` wrote, ""), or where that is not of the model there is: (nothing, a sentence that says so)."""
    uri = run.stage("benchmark").path("scores.json")
    found = dict(storage.read_json(uri)) if storage.exists(uri) else {}
    step, training = found.get("step"), run.training()
    if found.get("training", training) != training:
        of = "an earlier training in this folder" if step is None else f"step {step:,} of an earlier training in this folder"
        return {}, f"The scores in benchmark/scores.json are of {of}."
    exported = (run.stage("export").manifest() or {}).get("step", step)
    if exported != step:
        of = "an earlier export" if step is None else f"step {step:,}"
        return {}, f"The scores in benchmark/scores.json are of {of}; the export is of step {exported:,}."
    return found, ""


def read_evolution(run: Run) -> list[Mapping[str, Any]]:
    """What was written for each checkpoint of the training that this folder holds now, by step."""
    training = run.training()
    rows = [storage.read_json(info.uri) for info in storage.listing(run.stage("evolution").path("step-*.json"))]
    return sorted((row for row in rows if row["training"] == training), key=lambda row: int(row["step"]))


def score_tables(facts: Mapping[str, Any]) -> list[Scores]:
    """The tables of a scores.json that hold a benchmark."""
    rows = facts.get("scores", {}).values()
    found = []
    for name, (head, of) in HEADS.items():
        own = [row for row in rows if row["table"] == name]
        if own:
            found.append(Scores(head, of, sum(row["score"] for row in own) / len(own), own))
    return found


def evolution(rows: Sequence[Mapping[str, Any]]) -> Evolution | None:
    """The table and the drawings; None where no checkpoint was scored."""
    if not rows:
        return None
    known = {name: found for row in rows for name, found in row["benchmarks"].items()}
    stands = [
        Stand(
            int(row["step"]),
            row["tokens"],
            row["loss"],
            row["bpb"],
            {found["title"]: found["score"] for found in row["benchmarks"].values()},
        )
        for row in rows
    ]
    titles = [found["title"] for found in known.values()]
    beside: Mapping[str, Any] = next((row["beside"] for row in reversed(rows) if row.get("beside")), {})
    return Evolution(
        stands,
        titles,
        {found["title"]: found["chance"] for found in known.values()},
        {found["title"]: found["items"] for found in known.values()},
        [one for one in _drawn(stands, titles, "tokens") if not one.empty],
        [one for one in _drawn(stands, titles, "validation loss") if not one.empty],
        [one for one in _sums(rows, beside) if not one.empty],
        list(beside),
    )


def _sums(rows: Sequence[Mapping[str, Any]], beside: Mapping[str, Any]) -> list[Chart]:
    """Each weighted sum of the tables, in bits per byte, over tokens; a model beside is a level line."""
    seen = [(float(row["tokens"]), row.get("tables", {})) for row in rows if row["tokens"] is not None]
    names = {(table, total): None for _, tables in seen for table, found in tables.items() for total in found["sums"]}
    drawn = []
    for table, total in names:
        ours = [
            (x, tables[table]["sums"][total]["bpb"]) for x, tables in seen if total in tables.get(table, {"sums": {}})["sums"]
        ]
        levels = {
            name: found["tables"][table]["sums"][total]["bpb"]
            for name, found in beside.items()
            if total in found["tables"].get(table, {"sums": {}})["sums"]
        }
        ends = sorted({ours[0][0], ours[-1][0]})
        lines = [series("this run", ours), *(series(name, [(x, level) for x in ends]) for name, level in levels.items())]
        drawn.append(chart(f"{table.capitalize()}, {total}", "bits per byte", lines, "tokens"))
    return drawn


def _drawn(stands: Sequence[Stand], titles: Sequence[str], over: str) -> list[Chart]:
    """Loss (over tokens alone), bits per byte, then each benchmark, over tokens or over loss."""
    placed = [(stand.tokens if over == "tokens" else stand.loss, stand) for stand in stands]
    known = [(float(x), stand) for x, stand in placed if x is not None]
    losses = (
        [] if over != "tokens" else [chart("Loss", "nats per token", [series("loss", [(x, s.loss) for x, s in known])], over)]
    )
    bits = chart("Bits per byte", "all domains", [series("BPB", [(x, s.bpb) for x, s in known])], over)
    scores = [
        chart(title, "percent", [series(title, [(x, s.scores[title]) for x, s in known if title in s.scores])], over)
        for title in titles
    ]
    return [*losses, bits, *scores]
