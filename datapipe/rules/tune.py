"""What a threshold would drop, from a run's measures: counts beside the present bound, samples of what changes, a histogram."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core import storage
from core.config import ConfigError, setting
from core.run import Run
from datapipe.config import Bound
from datapipe.rules import table
from datapipe.rules.registry import LINE_RULES, PAGE_RULES
from datapipe.rules.sets import Bounds, BoundSet

_BARS = 20
_WIDTH = 40  # characters of the longest bar


@dataclass(frozen=True)
class TuneConfig:
    """What to try: one rule, and one or more bounds for it."""

    rule: str = setting(why="the page rule, as gopher.mean_word_length")
    min: float | list[float] | None = setting(None, "the least allowed, or several to be tried ([2, 3])")
    max: float | list[float] | None = setting(None, "the most allowed, or several to be tried ([9, 10])")
    domain: str = setting("", "this domain alone")
    language: str = setting("", "this language alone")
    samples: int = setting(5, "documents shown of what is newly dropped and newly kept")

    def __post_init__(self) -> None:
        if self.rule in LINE_RULES:
            raise ConfigError(f"rule = {self.rule} measures lines; the table holds measures of documents. Give a page rule.")
        if self.rule not in PAGE_RULES:
            near = difflib.get_close_matches(self.rule, PAGE_RULES, n=3) or sorted(PAGE_RULES)
            raise ConfigError(f"rule = {self.rule}: there is no such rule; did you mean {', '.join(near)}?")
        self.tried()

    def tried(self) -> list[Bound]:
        """The bounds to be tried: every lower with every upper limit, or one that allows all where none is given."""
        lows, highs = (each if isinstance(each, list) else [each] for each in (self.min, self.max))
        if self.min is None and self.max is None:
            return []
        return [Bound(low, high) for low in lows for high in highs]


@dataclass
class Trial:
    """What one bound does: documents by (domain, language), and samples of what changes."""

    bound: Bound
    counts: dict[tuple[str, str], np.ndarray] = field(default_factory=dict)
    """measured, dropped now, dropped then, newly dropped, of these by this rule alone, newly kept; int64 [6]"""
    dropped: list[tuple[str, float, str]] = field(default_factory=list)
    kept: list[tuple[str, float, str]] = field(default_factory=list)


def tune(run: Run, bounds: Bounds, wanted: TuneConfig) -> Iterator[str]:
    """The lines to print. Raises ConfigError where the run has no measures or none that fit."""
    uri = storage.join(run.uri, table.FOLDER, "shards")
    if not storage.listing(uri):
        raise ConfigError(f"{uri}: holds no measures; run `make measure` on this run first.")
    trials = [Trial(bound) for bound in wanted.tried()]
    values: list[np.ndarray] = []
    columns = ["id", "domain", "language", "set", "excerpt", *PAGE_RULES]
    for part in table.read(uri, columns):
        part = _fitting(part, wanted)
        for name in part.column("set").unique().to_pylist():
            rows = part.filter(pc.equal(part.column("set"), name))
            measures = rows.column(wanted.rule).to_numpy()
            values.append(measures[~np.isnan(measures)])
            for trial in trials:
                _try(trial, wanted, rows, bounds.sets.get(name, BoundSet(name, {}, {})))
    found = np.concatenate(values) if values else np.zeros(0)
    if not len(found):
        raise ConfigError(f"{uri}: no document of domain={wanted.domain or 'any'}, language={wanted.language or 'any'} has it.")
    yield from _histogram(wanted.rule, found, [limit for trial in trials for limit in (trial.bound.min, trial.bound.max)])
    for trial in trials:
        yield from _shown(trial, wanted)


def _fitting(part: pa.Table, wanted: TuneConfig) -> pa.Table:
    part = part.filter(pc.is_valid(part.column("set")))
    for name, value in (("domain", wanted.domain), ("language", wanted.language)):
        if value:
            part = part.filter(pc.equal(part.column(name), value))
    return part


def _try(trial: Trial, wanted: TuneConfig, rows: pa.Table, entry: BoundSet) -> None:
    """Adds the documents of one set of bounds to a trial."""
    measures = rows.column(wanted.rule).to_numpy()
    present = entry.pages.get(wanted.rule)
    now = present.broken(measures) if present else np.zeros(len(measures), bool)
    then = trial.bound.broken(measures)
    others = np.zeros(len(measures), bool)
    for name, bound in entry.pages.items():
        if name != wanted.rule:
            others |= bound.broken(rows.column(name).to_numpy())
    flags = np.stack([~np.isnan(measures), now, then, then & ~now, then & ~now & ~others, now & ~then])
    keys = list(zip(rows.column("domain").to_pylist(), rows.column("language").to_pylist(), strict=True))
    for key in sorted(set(keys)):
        own = np.array([each == key for each in keys])
        before = trial.counts.setdefault(key, np.zeros(len(flags), np.int64))
        trial.counts[key] = before + flags[:, own].sum(axis=1)
    for samples, chosen in ((trial.dropped, flags[3]), (trial.kept, flags[5])):
        where = np.flatnonzero(chosen)
        ids, excerpts = (rows.column(name).take(pa.array(where)).to_pylist() for name in ("id", "excerpt"))
        samples += zip(ids, measures[where].tolist(), excerpts, strict=True)
        samples.sort()  # ids are hashes: the first are a fair sample, and the same one each time
        del samples[wanted.samples :]


def _shown(trial: Trial, wanted: TuneConfig) -> Iterator[str]:
    limits = ", ".join(f"{name} {value:g}" for name, value in vars(trial.bound).items() if value is not None)
    yield ""
    yield f"{wanted.rule}: {limits}"
    heads = f"{'documents':>10}{'dropped now':>14}{'then':>14}{'newly':>8}{'alone':>8}{'kept anew':>11}"
    yield f"{'domain':22}{'language':10}{heads}"
    total = np.zeros(6, np.int64)
    for (domain, language), counts in [*sorted(trial.counts.items()), (("all", ""), total)]:
        total += counts if domain != "all" else 0
        whole, now, then, newly, alone, kept = counts.tolist()
        shares = "".join(f"{number:>6} {number / max(1, whole):>6.1%}" + " " for number in (now, then))
        yield f"{domain:22}{language:10}{whole:>10}{shares:>28}{newly:>8}{alone:>8}{kept:>11}"
    for title, samples in (("newly dropped", trial.dropped), ("newly kept", trial.kept)):
        for identity, value, excerpt in samples:
            yield f"  {title}: {identity[:12]}  {value:.4g}  {excerpt}"


def _histogram(rule: str, values: np.ndarray, limits: Sequence[float | None]) -> Iterator[str]:
    """Bars over the range that holds all but the outermost hundredths, widened to the limits; "<" marks a bar with a limit."""
    marks = [limit for limit in limits if limit is not None]
    low = min([float(np.quantile(values, 0.01)), *marks])
    high = max([float(np.quantile(values, 0.99)), *marks])
    edges = np.linspace(low, high if high > low else low + 1, _BARS + 1)
    counts, _ = np.histogram(np.clip(values, edges[0], edges[-1]), edges)
    yield f"{rule}: {len(values)} documents, median {np.median(values):.4g}, from {values.min():.4g} to {values.max():.4g}"
    for start, end, count in zip(edges[:-1], edges[1:], counts.tolist(), strict=True):
        mark = " <" if any(start <= limit < end or limit == end == edges[-1] for limit in marks) else ""
        yield f"{start:>12.4g} {'#' * round(_WIDTH * count / max(1, counts.max())):{_WIDTH}} {count}{mark}"
