"""Tables as the report's 5 and 6: our domains and languages gathered into its columns, and their weighted sums."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.mix import domain_of
from trainer.evaluate.config import ColumnConfig, TableConfig
from trainer.evaluate.measure import Score, total


@dataclass(frozen=True)
class Sum:
    """A weighted mean of columns, and the share of the weight that had text (1.0: every column had some)."""

    value: float
    covered: float


@dataclass(frozen=True)
class Table:
    """A filled table: the score of each column that had text, and the sums of losses and of bits per byte."""

    columns: dict[str, Score]
    loss: dict[str, Sum]
    bpb: dict[str, Sum]


def fill(config: TableConfig, scores: Mapping[str, Mapping[str, Score]]) -> Table:
    """A table from scores by domain, then language."""
    columns = {}
    for name, column in config.columns.items():
        score = total(_selected(column, scores))
        if score.tokens:
            columns[name] = score
    losses = {name: score.loss for name, score in columns.items()}
    bpbs = {name: score.bpb for name, score in columns.items()}
    return Table(columns, sums(config.weights, losses), sums(config.weights, bpbs))


def sums(weights: Mapping[str, Mapping[str, float]], values: Mapping[str, float]) -> dict[str, Sum]:
    """The weighted mean of `values` by each set of weights, over the columns that there are; none where there are none."""
    found = {}
    for name, by_column in weights.items():
        present = {column: weight for column, weight in by_column.items() if column in values}
        weight = sum(present.values())
        if weight:
            value = sum(values[column] * share for column, share in present.items()) / weight
            found[name] = Sum(value, weight / sum(by_column.values()))
    return found


def _selected(column: ColumnConfig, scores: Mapping[str, Mapping[str, Score]]) -> list[Score]:
    return [
        score
        for entry, by_language in scores.items()
        if domain_of(entry) in column.domains
        for language, score in by_language.items()
        if (not column.languages or language in column.languages) and language not in column.except_languages
    ]
