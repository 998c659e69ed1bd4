"""The table of rules, filled by decorators.

A page rule measures documents: `f(view) -> float64 [documents]`. A line rule measures lines: `f(view) -> float64 [lines]`;
lines that break its bound are taken out of the text. Neither knows what is too much.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from datapipe.text.view import TextView

Measure = Callable[[TextView], np.ndarray]


@dataclass(frozen=True)
class Rule:
    """A measure with its name, `family.rule`, and the languages that it is made for (none named: any)."""

    name: str
    measure: Measure
    languages: tuple[str, ...] = ()
    counts: bool = True
    """Of a line rule: whether the words that it takes count for `refinedweb.removed_words`."""

    @property
    def source(self) -> str:
        """Where the rule comes from and what exactly it measures: its function's docstring."""
        return (self.measure.__doc__ or "").strip()


PAGE_RULES: dict[str, Rule] = {}
LINE_RULES: dict[str, Rule] = {}


def rule(name: str, languages: tuple[str, ...] = ()) -> Callable[[Measure], Measure]:
    """Makes a function a page rule; `languages` forbids its use in a set for any other language."""
    return _into(PAGE_RULES, name, languages)


def line_rule(name: str, languages: tuple[str, ...] = (), counts: bool = True) -> Callable[[Measure], Measure]:
    """Makes a function a line rule; with `counts` off, what it takes says nothing against the page (a list of references)."""
    return _into(LINE_RULES, name, languages, counts)


def _into(table: dict[str, Rule], name: str, languages: tuple[str, ...], counts: bool = True) -> Callable[[Measure], Measure]:
    def register(measure: Measure) -> Measure:
        if name in table:
            raise ValueError(f"the rule {name} is defined twice; give one of them another name.")
        if not measure.__doc__:
            raise ValueError(f"the rule {name} has no docstring; say what it measures and where it comes from.")
        table[name] = Rule(name, measure, languages, counts)
        return measure

    return register


def find(table: dict[str, Rule], name: str) -> Rule:
    """The rule of this name; KeyError with the nearest name where there is none."""
    if name in table:
        return table[name]
    other = LINE_RULES if table is PAGE_RULES else PAGE_RULES
    if name in other:
        kind = "line" if table is PAGE_RULES else "page"
        raise KeyError(f"{name} is a {kind} rule; it belongs under `{kind}s`.")
    close = difflib.get_close_matches(name, table, n=1)
    raise KeyError(f"there is no rule {name}; did you mean {close[0]}?" if close else f"there is no rule {name}.")
