"""Scores as the report's Tables 7 and 8, in Markdown, and under each table what the figures rest on."""

from __future__ import annotations

from collections.abc import Mapping

from trainer.evaluate.benchmarks.score import Score
from trainer.evaluate.benchmarks.sets import BENCHMARKS
from trainer.evaluate.markdown import figure, table
from trainer.evaluate.tables import sums

HEADS = {"english": "English (the report's Table 7)", "chinese": "Chinese (the report's Table 8)"}


def average(scores: Mapping[str, Score], of: str) -> float | None:
    """The direct average of the benchmarks of a table that were scored, as the report prints it; None where none was."""
    values = {name: score.score for name, score in scores.items() if score.table == of}
    found = sums({"Average": dict.fromkeys(values, 1.0)}, values)
    return found["Average"].value if found else None


def written(model: str, scores: Mapping[str, Score], step: int | None = None) -> str:
    """Both tables: the scores in percent with their average, then a line for each benchmark; `step` is that of the weights."""
    parts = [f"# Benchmarks of {model}{'' if step is None else f', step {step:,}'}"]
    for of, head in HEADS.items():
        own = {name: score for name, score in scores.items() if score.table == of}
        if not own:
            continue
        titles = [score.title for score in own.values()]
        every = sum(benchmark.table == of for benchmark in BENCHMARKS.values())
        mean = "Average" if len(own) == every else f"Average of {len(own)} of {every}"
        parts += [f"## {head}", table(["", mean, *titles], _rows(model, own, average(scores, of)))]
        parts.append(table(["", "items", "shots", "cut", "error", "metric", "how"], [_rest(score) for score in own.values()]))
    parts.append(
        "Percent. Chance: what guessing would score on these items. Error: the standard error of the score for the items that "
        "were drawn. Shots: asked for, and in brackets how many fitted into the context in the mean. Cut: items "
        "longer than the context without any shot, of which the model never saw the whole."
    )
    return "\n\n".join(parts) + "\n"


def _rows(model: str, own: Mapping[str, Score], level: float | None) -> list[list[str]]:
    chance = sum(score.chance for score in own.values()) / len(own)
    return [
        [model, figure(level, 2), *(figure(score.score, 2) for score in own.values())],
        ["chance", figure(chance, 2), *(figure(score.chance, 2) for score in own.values())],
    ]


def _rest(score: Score) -> list[str]:
    items = f"{score.items:,} of {score.of:,}"
    shots, error = f"{score.shots} ({score.fitted:.1f})", f"±{figure(score.error, 2)}"
    return [score.title, items, shots, f"{score.cut:,}", error, score.metric, score.how]
