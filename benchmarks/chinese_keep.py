"""Chinese web pages: the share that the rules keep, by rule, beside the share that English thresholds would keep.

No page may be lost to a rule made for another language: that is counted by name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from benchmarks import _documents
from datapipe.rules.judge import judge, remove_lines
from datapipe.rules.registry import PAGE_RULES
from datapipe.rules.sets import Bounds
from datapipe.text.view import TextView


def main(arguments: list[str]) -> Iterator[dict[str, Any]]:
    parser = _documents.arguments("chinese-keep", __doc__)
    parser.set_defaults(only="warc/")
    options = parser.parse_args(arguments)
    bounds = Bounds(_documents.settings().clean)
    own, english = bounds.of("WebText", "zh"), bounds.of("WebText", "en")
    lost: Counter[str] = Counter()
    pages = kept_by_english = 0
    for batch in _documents.batches(options):
        rows = batch.select(["text", "language", "source"]).to_pylist()
        texts = [row["text"] for row in rows if row["language"] == "zh" and row["source"].startswith("warc/")]
        if not texts:
            continue
        came = TextView.of(texts)
        pages += len(texts)
        lost.update(verdict.rule for verdict in judge(remove_lines(came, own.lines)[0], own.pages) if verdict)
        kept_by_english += sum(verdict is None for verdict in judge(remove_lines(came, english.lines)[0], english.pages))
    if not pages:
        raise SystemExit("error: the corpus holds no Chinese page below warc/; give one that does, CORPUS=dir.")
    foreign = sum(count for rule, count in lost.items() if PAGE_RULES[rule].languages not in ((), ("zh",)))
    share = 1 - lost.total() / pages
    yield {
        "name": "chinese-keep",
        "part": "kept",
        "value": round(share, 4),
        "unit": f"of {pages} pages",
        "reference": "English thresholds on the same pages",
        "reference_value": round(kept_by_english / pages, 4),
        "ratio": round(share * pages / kept_by_english, 2) if kept_by_english else None,
    }
    yield {
        "name": "chinese-keep",
        "part": "lost to a rule of another language",
        "value": foreign,
        "unit": "pages",
        "reference": "the bar",
        "reference_value": 0,
        "ratio": None,
    }
    for rule, count in lost.most_common():
        yield {
            "name": "chinese-keep",
            "part": rule,
            "value": round(count / pages, 4),
            "unit": "share of pages removed",
            "reference": None,
            "reference_value": None,
            "ratio": None,
        }
