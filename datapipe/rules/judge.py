"""Measures against bounds: lines that break one are taken out, documents that break one get a verdict.

Measuring and deciding are apart: `measure` looks at text and knows no threshold, `first_broken` knows thresholds and never sees
text, so that a threshold can be tried again on stored measures.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np

import datapipe.rules  # noqa: F401  (fills the tables of rules)
from datapipe.document import Verdict
from datapipe.rules.registry import LINE_RULES, PAGE_RULES
from datapipe.text.characters import INVISIBLE
from datapipe.text.view import TextView

if TYPE_CHECKING:
    from datapipe.config import Bound

Measures = dict[str, np.ndarray]


def measure(view: TextView, rules: Iterable[str]) -> Measures:
    """The measure of each document by each of these page rules, float64 [documents]."""
    return {name: PAGE_RULES[name].measure(view) for name in rules}


def first_broken(measures: Mapping[str, np.ndarray], bounds: Mapping[str, Bound]) -> list[Verdict | None]:
    """For each document the first bound, in the order of `bounds`, that its measures break, or None."""
    documents = len(next(iter(measures.values()), np.zeros(0)))
    verdicts: list[Verdict | None] = [None] * documents
    for name, bound in bounds.items():
        values = measures[name]
        for document in np.flatnonzero(bound.broken(values)).tolist():
            if verdicts[document] is None:
                value = float(values[document])
                verdicts[document] = Verdict(name, value, bound.broken_by(value))
    return verdicts


def judge(view: TextView, bounds: Mapping[str, Bound]) -> list[Verdict | None]:
    """The verdict on each document of a view: its first broken bound, or None where it stays."""
    return first_broken(measure(view, bounds), bounds) if bounds else [None] * len(view)


def remove_lines(view: TextView, bounds: Mapping[str, Bound]) -> tuple[TextView, Measures]:
    """The view without the lines that break a bound, and without invisible characters; with it, how many lines each rule
    took from each document, int64 [documents] (a line counts for the first rule that it breaks)."""
    removed = np.zeros(len(view.lines), bool)
    uncounted = np.zeros(len(view.lines), bool)
    taken: Measures = {}
    for name, bound in bounds.items():
        broken = bound.broken(LINE_RULES[name].measure(view)) & ~removed
        if broken.any():
            taken[name] = view.lines_of_documents.count(broken)
            removed |= broken
            if not LINE_RULES[name].counts:
                uncounted |= broken
    if taken or view.having(INVISIBLE).any():
        view = view.without_lines(removed, uncounted)
    return view, taken
