"""Tokens per UTF-8 byte by kind of text, ours beside others' vocabularies (report, Table 3): a table, a plot, figures.

Lower is better. Texts of another corpus are harder or easier for all, so ours is also held against Llama-3's on the same
text, beside the same ratio in the report.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from tokenizer.encode import Encoder
from tokenizer.peers import Count

KINDS = ("English", "Chinese", "Classical Chinese", "Code", "Multilingual", "Mathematical")

# Table 3 as printed, and the weights that reproduce its four weighted averages within 0.0015.
REPORT = {
    "GPT-4": (0.221, 0.420, 0.478, 0.267, 0.303, 0.508),
    "Llama-1/2": (0.262, 0.515, 0.558, 0.367, 0.314, 0.974),
    "Llama-3": (0.220, 0.294, 0.353, 0.267, 0.274, 0.508),
    "Tele-FLM": (0.248, 0.235, 0.307, 0.363, 0.340, 0.965),
}
WEIGHTS = (0.554, 0.313, 0.0002, 0.098, 0.029, 0.006)
OURS, BASE = "ours", "Llama-3"

Rates = Mapping[str, float]
"""Tokens per UTF-8 byte by kind."""


def kind_of(domain: str, language: str) -> str:
    """The column of Table 3 that a document belongs to."""
    by_domain = {"ClassicalChinese": "Classical Chinese", "Code": "Code", "Profession-Math": "Mathematical"}
    by_language = {"en": "English", "zh": "Chinese", "code": "Code"}
    return by_domain.get(domain) or by_language.get(language, "Multilingual")


def ours(json: str) -> Count:
    """Counts by a tokenizer.json of `train_tokenizer`, with the engine that encodes."""
    encoder = Encoder(json)
    return lambda texts: int(encoder.encode(texts)[1].sum())


def rates(count: Count, texts: Mapping[str, Sequence[str]]) -> dict[str, float]:
    """Tokens per UTF-8 byte of each kind of text."""
    return {kind: count(group) / sum(len(text.encode()) for text in group) for kind, group in texts.items()}


def average(by_kind: Rates) -> float:
    """The mean weighted as the report's, over the kinds that are there."""
    weights = {kind: weight for kind, weight in zip(KINDS, WEIGHTS, strict=True) if kind in by_kind}
    return sum(by_kind[kind] * weight for kind, weight in weights.items()) / sum(weights.values())


def report_rates(kinds: Sequence[str] = KINDS) -> dict[str, dict[str, float]]:
    """Table 3's rows, as printed, in these columns."""
    columns = {name: dict(zip(KINDS, printed, strict=True)) for name, printed in REPORT.items()}
    return {name: {kind: row[kind] for kind in kinds} for name, row in columns.items()}


def ratios(mine: Rates, base: Rates) -> dict[str, float]:
    """Our rate over another's, by kind and `weighted`."""
    found = {kind: mine[kind] / base[kind] for kind in mine}
    return {**found, "weighted": average(mine) / average(base)}


def table(measured: Mapping[str, Rates]) -> str:
    """A Markdown table: tokenizers down, kinds across; below it the report's rows, and ratios to Llama-3 where it is there."""
    kinds = _kinds(measured)
    printed = report_rates(kinds)
    rows = {**measured, **{f"report: {name}": row for name, row in printed.items()}}
    lines = [_line("tokens per UTF-8 byte", [*kinds, "weighted"]), "|-" * (len(kinds) + 2) + "|"]
    lines += [_line(name, [f"{value:.3f}" for value in (*_ordered(row, kinds), average(row))]) for name, row in rows.items()]
    held = {OURS: (measured[OURS], measured[BASE])} if {OURS, BASE} <= measured.keys() else {}
    for name, pair in {**held, "report: Tele-FLM": (printed["Tele-FLM"], printed[BASE])}.items() if held else ():
        found = ratios(*pair)
        lines.append(_line(f"{name} / {BASE}", [f"{value:.3f}" for value in (*_ordered(found, kinds), found["weighted"])]))
    return "\n".join(lines)


def plot(measured: Mapping[str, Rates], path: str, form: Literal["png", "svg"] = "png") -> None:
    """A bar for each tokenizer and kind, and a hatched one for the report's own, as a picture at `path`."""
    figure_class: Any = importlib.import_module("matplotlib.figure").Figure
    figure = figure_class(figsize=(10, 4.5), layout="constrained")
    axes = figure.add_subplot()
    kinds = _kinds(measured)
    rows = {**measured, "report: Tele-FLM": report_rates(kinds)["Tele-FLM"]}
    width = 0.85 / len(rows)
    for place, (name, row) in enumerate(rows.items()):
        middles = [number + (place + 0.5) * width - 0.425 for number in range(len(kinds) + 1)]
        look = {"color": "none", "edgecolor": "grey", "hatch": "///"} if name.startswith("report") else {}
        bars = axes.bar(middles, [*_ordered(row, kinds), average(row)], width, label=name, **look)
        axes.bar_label(bars, fmt="%.2f", fontsize=6, padding=1)
    axes.set_xticks(range(len(kinds) + 1), [*kinds, "weighted"])
    axes.set_ylabel("tokens per UTF-8 byte (lower is better)")
    axes.legend(fontsize=8)
    figure.savefig(path, dpi=120, format=form)


def _kinds(measured: Mapping[str, Rates]) -> list[str]:
    return [kind for kind in KINDS if any(kind in row for row in measured.values())]


def _ordered(row: Rates, kinds: Sequence[str]) -> list[float]:
    return [row[kind] for kind in kinds]


def _line(name: str, cells: Sequence[str]) -> str:
    return f"| {name} | " + " | ".join(cells) + " |"
