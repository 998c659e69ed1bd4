"""The page: a run's facts laid out by the template, with styles, script and drawings inside one file.

The template escapes everything that is not its own markup: removed documents are hostile text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import yaml

from core.line import active
from report import wording
from report.chart import Chart, Series, chart, series, value_range
from report.config import ReportSettings
from report.evolution import evolution, score_tables
from report.mix import mix_table
from report.read import Count, RunFacts, StageFacts
from report.scores import FEW_TOKENS, overall, score_table
from report.summary import training

_HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Rule:
    """A rule's toll at one stage, with examples."""

    name: str
    documents: int
    domains: list[tuple[str, int]]
    examples: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Language:
    """What stayed of one language, and its share of the bytes."""

    language: str
    documents: int
    bytes: int
    share: float


@dataclass(frozen=True)
class ScoreTable:
    """A table as the report's 5 or 6: names of columns and weighted sums, a row for each model and measure.

    A row is (label, cells of the columns, cells of the sums), None where a model has no figure; `covered`: share of the
    weight that had text.
    """

    name: str
    columns: list[str]
    sums: list[str]
    rows: list[tuple[str, list[float | None], list[float | None]]]
    covered: float


@dataclass(frozen=True)
class Funnel:
    """A domain's way down the line: what came in first, then what each stage kept."""

    domain: str
    first: Count
    stages: list[Count | None]


def render(facts: RunFacts, settings: ReportSettings) -> str:
    """The whole page as HTML."""
    scores = score_table(facts)
    losses, bits = _validation(facts)
    seconds = [entry.seconds or 0 for entry in facts.stages]
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        number=wording.number, compact=wording.compact, size=wording.size, duration=wording.duration, json=_json
    )
    environment.globals.update(percent=wording.percent)
    return environment.get_template("page.html.jinja").render(
        facts=facts,
        style=(_HERE / "page.css").read_text(encoding="utf-8"),
        script=(_HERE / "page.js").read_text(encoding="utf-8"),
        line=_line(facts),
        funnel=_funnel(facts),
        total=_total(facts),
        leaks=leaks(facts),
        languages=_languages(facts),
        rules={entry.name: _rules(entry, settings) for entry in facts.judging},
        mix=mix_table(facts),
        train=training(facts),
        curves=_curves(facts),
        validation=losses,
        bits=bits,
        scores=scores,
        tables=_tables(facts),
        overall=overall(scores),
        benchmarks=score_tables(facts.benchmarks),
        evolution=evolution(facts.evolution),
        few_tokens=FEW_TOKENS,
        config=yaml.safe_dump(dict(facts.config), allow_unicode=True, sort_keys=False),
        wall=sum(seconds),
        slowest=max(seconds, default=0) or 1,
        top=max((row.bpb for row in scores), default=0) or 1,
    )


def leaks(facts: RunFacts) -> list[str]:
    """Where documents got lost or doubled: kept + removed must equal what came in, and a stage must read what the one
    before it kept. Empty for a sound run."""
    found = []
    before: StageFacts | None = None
    for entry in facts.judging:
        for domain, count in [("all domains", entry.count), *entry.by_domain.items()]:
            if count is not None and count.kept + count.removed != count.arrived:
                found.append(
                    f"{entry.name}, {domain}: {count.arrived:,} came in, but {count.kept:,} kept + {count.removed:,} removed "
                    f"= {count.kept + count.removed:,}."
                )
        if (
            before is not None
            and before.count is not None
            and entry.count is not None
            and before.count.kept != entry.count.arrived
        ):
            found.append(f"{entry.name}: {entry.count.arrived:,} came in, but {before.name} kept {before.count.kept:,}.")
        before = entry
    return found


def _line(facts: RunFacts) -> list[StageFacts]:
    """The stages of this run: without the crawl where a corpus was given."""
    names = {entry.name for entry in active(facts.config.get("corpus"))}
    return [entry for entry in facts.stages if entry.name in names]


def _funnel(facts: RunFacts) -> list[Funnel]:
    judging = facts.judging
    rows = []
    for domain in facts.domains:
        counts = [entry.by_domain.get(domain) for entry in judging]
        first = next((count for count in counts if count is not None), None)
        if first is not None:
            rows.append(Funnel(domain, first, list(counts)))
    return rows


def _total(facts: RunFacts) -> Funnel | None:
    counts = [entry.count for entry in facts.judging if entry.count is not None]
    return Funnel("All", counts[0], list(counts)) if counts else None


def _languages(facts: RunFacts) -> list[Language]:
    """The languages of what stayed to the end, the largest in bytes first."""
    counted = [entry.manifest["by_language"] for entry in facts.judging if entry.manifest.get("by_language")]
    by_language = counted[-1] if counted else {}
    total = sum(row["bytes_kept"] for row in by_language.values()) or 1
    rows = [Language(name, row["kept"], row["bytes_kept"], row["bytes_kept"] / total) for name, row in by_language.items()]
    return sorted(rows, key=lambda row: (-row.bytes, row.language))


def _rules(entry: StageFacts, settings: ReportSettings) -> list[Rule]:
    """The rules of a stage, the busiest first."""
    examples = entry.manifest.get("examples", {})
    found = []
    for name, domains in entry.by_rule.items():
        shown = [
            {**one, "snippet": _cut(one["snippet"], settings.snippet)} for one in examples.get(name, [])[: settings.examples]
        ]
        found.append(Rule(name, sum(domains.values()), sorted(domains.items(), key=lambda row: -row[1]), shown))
    return sorted(found, key=lambda rule: (-rule.documents, rule.name))


def _cut(text: str, characters: int) -> str:
    """The beginning of a text; what cannot be seen (controls, marks that turn the direction of writing) as its code."""
    shown = "".join(c if c.isprintable() or c.isspace() else f"\\u{ord(c):04x}" for c in text[:characters].strip())
    return shown + (" …" if len(text) > characters else "")


def _curves(facts: RunFacts) -> list[Chart]:
    steps = facts.steps
    loss = series("loss", [(s.step, s.loss) for s in steps if s.loss is not None])
    norm = series("gradient norm", [(s.step, s.grad_norm) for s in steps if s.grad_norm is not None])
    speed = series("tokens per second", [(s.step, s.tokens_per_second) for s in steps if s.tokens_per_second is not None])
    names = list(dict.fromkeys(name for s in steps for name in s.rates))
    rates = [series(name, [(s.step, s.rates[name]) for s in steps if name in s.rates]) for name in names]
    marks = facts.new_mixes
    drawn = [
        chart("Training loss", "nats per token", [loss], marks=marks),
        chart("Gradient norm", "before clipping, log scale", [norm], logarithmic=True, marks=marks),
        chart("Learning rate", "by kind of parameter", rates, marks=marks),
        chart("Speed", "tokens per second", [speed], marks=marks),
    ]
    return [one for one in drawn if not one.empty]


def _validation(facts: RunFacts) -> tuple[list[Chart], list[Chart]]:
    """A small drawing a domain of losses by step, and one of bits per byte by tokens seen; each kind on one axis."""
    order = {name: place for place, name in enumerate(facts.domains)}
    ordered = sorted(facts.validations, key=lambda one: order.get(one.domain, len(order)))
    tokens = {step.step: step.tokens for step in facts.steps}
    losses = [series(one.domain, [(step, loss) for step, loss, _ in one.rows]) for one in ordered]
    bits = [
        series(
            one.domain, [(seen, bpb) for step, _, bpb in one.rows if bpb is not None and (seen := tokens.get(step)) is not None]
        )
        for one in ordered
    ]
    marks = [seen for step in facts.new_mixes if (seen := tokens.get(step)) is not None]
    return (
        _on_one_axis(losses, "nats per token", "step", facts.new_mixes),
        _on_one_axis(bits, "bits per byte", "tokens", marks),
    )


def _on_one_axis(lines: list[Series], unit: str, x_name: str, marks: Sequence[float]) -> list[Chart]:
    drawn = [one for one in lines if one.points]
    shared = value_range(drawn)
    return [chart(one.name, unit, [one], x_name, y_range=shared, marks=marks) for one in drawn]


def _tables(facts: RunFacts) -> list[ScoreTable]:
    """The tables that evaluate filled, as the report's 5 and 6: losses, then bits per byte, ours above the models beside."""
    manifest = facts.stage("evaluate").manifest
    beside = manifest.get("beside", {})
    made = []
    for name, table in manifest.get("tables", {}).items():
        if not table["columns"]:
            continue
        models = {"": table, **{other: found["tables"][name] for other, found in beside.items() if name in found["tables"]}}
        rows = []
        for label, key in (("loss", "loss"), ("BPB", "bpb")):
            for model, own in models.items():
                cells = [own["columns"].get(column, {}).get(key) for column in table["columns"]]
                totals = [own["sums"].get(total, {}).get(key) for total in table["sums"]]
                rows.append((f"{model}, {label}" if model else label, cells, totals))
        partial = min((row["covered"] for row in table["sums"].values()), default=1.0)
        made.append(ScoreTable(name, list(table["columns"]), list(table["sums"]), rows, partial))
    return made


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
