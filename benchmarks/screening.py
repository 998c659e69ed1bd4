"""Security screening on labelled cases of our own, by kind and language, and what it removes from a corpus, with samples.

A case counts as removed where any screening rule of the web set breaks its bound. Without a corpus the cases alone are
measured. They were written after the lists and the bounds, and neither has been fitted to them since.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from benchmarks import _documents
from datapipe.rules.judge import judge
from datapipe.rules.sets import Bounds
from datapipe.text.view import TextView

CASES = Path(__file__).resolve().parent / "cases" / "screening.yaml"
SAMPLES = 2


def main(arguments: list[str]) -> Iterator[dict[str, Any]]:
    options = _documents.arguments("screening", __doc__).parse_args(arguments)
    bounds = Bounds(_documents.settings().clean)
    pages = {language: bounds.of("WebText", language).pages for language in ("en", "zh")}
    own = {
        language: {name: bound for name, bound in entry.items() if name.startswith("screening.")}
        for language, entry in pages.items()
    }
    for kind, languages in yaml.safe_load(CASES.read_text(encoding="utf-8")).items():
        for language, cases in languages.items():
            yield _figures(kind, language, cases, own[language])
    if options.corpus or options.run:
        yield from _removed(options, own)


def _figures(kind: str, language: str, cases: dict[str, list[str]], bounds: Any) -> dict[str, Any]:
    hit = [verdict is not None for verdict in judge(TextView.of(cases["remove"]), bounds)]
    kept = judge(TextView.of(cases["keep"]), bounds)
    wrong = [f"{found.rule} {found.measure:.1f}: {text[:60]}" for text, found in zip(cases["keep"], kept, strict=True) if found]
    missed = [text[:60] for text, found in zip(cases["remove"], hit, strict=True) if not found]
    precision = sum(hit) / max(1, sum(hit) + len(wrong))
    return {
        "name": "screening",
        "part": f"{kind}, {language}",
        "value": round(sum(hit) / len(hit), 3),
        "unit": f"recall of {len(hit)} cases; precision {precision:.3f} beside {len(kept)} hard negatives",
        "reference": "no screening",
        "reference_value": 0.0,
        "ratio": None,
        "missed": missed,
        "wrong": wrong,
    }


def _removed(options: Any, own: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What the web set's screening would remove from each domain, whether or not the domain's own set screens."""
    seen: Counter[tuple[str, str]] = Counter()
    gone: Counter[tuple[str, str]] = Counter()
    samples: dict[tuple[str, str], list[str]] = {}
    for batch in _documents.batches(options):
        kinds = list(zip(batch.column("domain").to_pylist(), batch.column("language").to_pylist(), strict=True))
        for language, bounds in own.items():
            rows = [row for row, kind in enumerate(kinds) if kind[1] == language]
            texts = [batch.column("text")[row].as_py() for row in rows]
            for row, text, verdict in zip(rows, texts, judge(TextView.of(texts), bounds), strict=True):
                seen[kinds[row]] += 1
                if verdict is not None:
                    gone[kinds[row]] += 1
                    shown = samples.setdefault(kinds[row], [])
                    if len(shown) < SAMPLES:
                        shown.append(f"{verdict.rule} {verdict.measure:.1f}: {' '.join(text[:80].split())}")
    for (domain, language), count in sorted(seen.items()):
        yield {
            "name": "screening",
            "part": f"corpus: {domain}, {language}",
            "value": round(gone[domain, language] / count, 5),
            "unit": f"share removed of {count} documents",
            "reference": None,
            "reference_value": None,
            "ratio": None,
            "samples": samples.get((domain, language), []),
        }
