"""Every rule on a page of our own that breaks it, and its removal rate on a corpus; a rule that removes nothing is a warning.

A planted page counts where the rule, under the bound of a shipped set, breaks on it and not on the good page that it was made
from. On the corpus each rule is judged by the set of the document's own domain and language, whatever other rules say: page
rules by documents, line rules by lines.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks import _documents
from benchmarks._planted import GOOD, PLANTED
from datapipe.rules.groups import groups
from datapipe.rules.judge import measure, remove_lines
from datapipe.rules.registry import LINE_RULES, PAGE_RULES
from datapipe.rules.sets import Bounds, BoundSet
from datapipe.text.view import TextView


def main(arguments: list[str]) -> Iterator[dict[str, Any]]:
    options = _documents.arguments("filter-firing", __doc__).parse_args(arguments)
    config = _documents.settings().clean
    bounds = Bounds(config)
    removed: Counter[str] = Counter()
    judged: Counter[str] = Counter()
    corpus = bool(options.corpus or options.run)
    for batch in _documents.batches(options) if corpus else ():
        for entry, _, rows in groups(batch, batch.column("text").to_pylist(), bounds, config.longest):
            view = TextView.of([batch.column("text")[row].as_py() for row in rows])
            for name, broken in _broken(view, entry):
                removed[name] += int(broken.sum())
                judged[name] += len(broken)
    used = {name: entry for entry in bounds.sets.values() for name in (*entry.lines, *entry.pages)}
    for name in (*PAGE_RULES, *LINE_RULES):
        if name not in used:
            continue
        unit = "documents" if name in PAGE_RULES else "lines"
        rate = removed[name] / judged[name] if judged[name] else None
        result = {
            "name": "filter-firing",
            "part": name,
            "value": rate if rate is None else round(rate, 6),
            "unit": f"share of {judged[name]} {unit} removed" if corpus else "no corpus given: planted case only",
            "reference": "fires on its planted page",
            "reference_value": int(_fires(name, bounds)),
            "ratio": None,
        }
        if corpus and not removed[name]:
            result["warning"] = f"removes nothing of {judged[name]} {unit}" if judged[name] else "no document meets it"
        yield result


def _broken(view: TextView, entry: BoundSet) -> Iterator[tuple[str, np.ndarray]]:
    for name, bound in entry.lines.items():
        yield name, bound.broken(LINE_RULES[name].measure(view))
    left, _ = remove_lines(view, entry.lines)  # page rules see what line rules leave, as in `clean`
    for name, values in measure(left, entry.pages).items():
        yield name, entry.pages[name].broken(values)


def _fires(name: str, bounds: Bounds) -> bool:
    """Whether the rule breaks its bound on the planted page, and not on the good one, in some shipped set that fits."""
    set_name, language, page = PLANTED[name]
    entry = bounds.sets[set_name]
    lines = name in LINE_RULES
    rule, bound = (LINE_RULES[name], entry.lines[name]) if lines else (PAGE_RULES[name], entry.pages[name])
    view = TextView.of([page, GOOD[language]])
    if name == "refinedweb.removed_words":  # a page measure of what line rules took
        view = view.without_lines(np.arange(len(view.lines)) < 4)
    broken = bound.broken(rule.measure(view))
    if lines:
        owner = view.lines_of_documents
        broken = owner.count(broken) > 0
    return bool(broken[0] and not broken[1])
