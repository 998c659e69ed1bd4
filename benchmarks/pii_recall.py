"""Personal data: recall and precision by kind, Chinese included, on planted data and on look-alikes of our own.

Cases are drawn from patterns; beside them stand some forty that were written by hand, in the spellings that people use.
Precision counts what was replaced as this kind in all cases, planted ones of other kinds and look-alikes (versions, ISBNs,
dates, hashes, arithmetic, numbers with a wrong check digit); the bar holds for kinds with a checksum.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from typing import Any

from benchmarks._pii_cases import KINDS, by_hand, look_alikes, planted
from datapipe.config import PII_KINDS
from datapipe.rules.pii import replace
from datapipe.text.view import TextView

CHECKED = ("zh_id", "bank_card")


def main(arguments: list[str]) -> Iterator[dict[str, Any]]:
    parser = argparse.ArgumentParser(prog="pii-recall", description=__doc__)
    parser.add_argument("--cases", type=int, default=500, help="of each kind and of each sort of look-alike")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    true = list(planted(options.seed, options.cases))
    false = list(look_alikes(options.seed, options.cases))
    texts = [text for _, text in true + false]
    replaced = replace(TextView.of(texts), range(len(texts)), PII_KINDS)
    right: Counter[str] = Counter()
    found: Counter[str] = Counter()
    mistaken: dict[str, Counter[str]] = {kind: Counter() for kind in KINDS}
    missed: dict[str, list[str]] = {kind: [] for kind in KINDS}
    for place, (label, text) in enumerate(true + false):
        counts = replaced.get(place, ("", {}))[1]
        for kind, count in counts.items():
            found[kind] += count
            if kind != label:
                mistaken[kind][label] += count
        if label in KINDS and place < len(true):
            right[label] += counts.get(label, 0) == 1
            if counts.get(label, 0) != 1 and len(missed[label]) < 3:
                missed[label].append(text)
    for kind in KINDS:
        for figure, value, bar in (
            ("recall", right[kind] / options.cases, 0.95),
            ("precision", right[kind] / max(1, found[kind]), 0.99),
        ):
            yield {
                "name": "pii-recall",
                "part": f"{kind}: {figure}",
                "value": round(value, 4),
                "unit": f"of {options.cases if figure == 'recall' else found[kind]}",
                "reference": "the bar" if kind in CHECKED else "reported; no checksum exists",
                "reference_value": bar if kind in CHECKED else None,
                "ratio": round(value / bar, 3) if kind in CHECKED else None,
                "cases": missed[kind] if figure == "recall" else dict(mistaken[kind]),
            }
    yield from _by_hand()


def _by_hand() -> Iterator[dict[str, Any]]:
    """Recall on the cases that were written by hand, by kind."""
    cases = list(by_hand())
    replaced = replace(TextView.of([text for _, text in cases]), range(len(cases)), PII_KINDS)
    for kind in KINDS:
        own = [(place, text) for place, (label, text) in enumerate(cases) if label == kind]
        missed = [text for place, text in own if replaced.get(place, ("", {}))[1].get(kind, 0) != 1]
        yield {
            "name": "pii-recall", "part": f"{kind}: recall, by hand", "value": round(1 - len(missed) / len(own), 4),
            "unit": f"of {len(own)}", "reference": "reported", "reference_value": None, "ratio": None, "cases": missed,
        }  # fmt: skip
