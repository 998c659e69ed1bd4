"""F1 of main text on pages with ground truth, by each set's own metric, beside trafilatura and resiliparse.

`half` says which pages: all, those of the half of hosts that the scores were fitted on, those of the unseen half. WCXB is also
shown by type of page. `--fit` first fits the scores anew on the fitted half and writes them into the package (about 2 minutes).
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from typing import Any

import trafilatura
import xxhash

from benchmarks._extractors import DEFAULTS, FAST, OURS, RESILIPARSE, run
from benchmarks._pages import SETS, Counts, TruePage, counts, read, score
from datapipe.sources.page.blocks import walk
from datapipe.sources.page.fit import Example, fit, labels_by_passages, labels_by_text, write
from datapipe.sources.page.parse import parse, title_of
from datapipe.sources.page.scores import networks


def main(arguments: list[str]) -> Iterator[dict[str, Any]]:
    parser = argparse.ArgumentParser(prog="extract-f1", description=__doc__)
    parser.add_argument(
        "--corpus", required=True, help="a folder with warc/ground_truth.jsonl.gz and the archives that it names"
    )
    parser.add_argument("--fit", action="store_true", help="fit the scores on the fitted half first")
    parser.add_argument("--without-resiliparse", action="store_true", help="leave out what must be installed")
    options = parser.parse_args(arguments)
    pages = read(options.corpus)
    if options.fit:
        write(fit(list(examples(pages))))
        networks.cache_clear()
    names = [OURS, DEFAULTS, FAST, *([] if options.without_resiliparse else [RESILIPARSE])]
    found = {}
    for name in names:
        texts, _ = run(name, [page.html for page in pages])
        found[name] = [(page, counts(page, text)) for page, text in zip(pages, texts, strict=True)]
    for half in ("all", "fitted", "unseen"):
        sets: dict[str, dict[str, float]] = {
            part: {name: score(part, _chosen(found[name], part, half)) for name in names} for part in SETS.values()
        }
        sets["mean"] = {name: sum(row[name] for row in sets.values()) / len(sets) for name in names}
        for part, row in sets.items():
            yield from _results(part, half, row)
    for kind in sorted({page.kind for page in pages if page.set == "wcxb"}):
        rows = {name: [made for page, made in found[name] if page.set == "wcxb" and page.kind == kind] for name in names}
        yield from _results(
            f"wcxb {kind} ({len(rows[OURS])} pages)", "all", {name: score("wcxb", rows[name]) for name in names}
        )


def examples(pages: Sequence[TruePage]) -> Iterator[Example]:
    """What the scores are fitted on: the fitted half; where only passages are known, trafilatura's guess for the rest."""
    for page in pages:
        root = parse(page.html) if page.half == "fitted" else None
        if root is None or not (blocks := walk(root)).text:
            continue
        if page.text:
            labels, weights = labels_by_text(blocks, page.text)
        else:
            labels, weights = labels_by_passages(blocks, page.wanted, page.unwanted, trafilatura.extract(page.html) or "")
        fold = xxhash.xxh3_64_intdigest(page.url.encode()) // 2 % 2
        yield Example(blocks, title_of(root), labels, weights, page.set, fold)


def _chosen(rows: Sequence[tuple[TruePage, Counts]], part: str, half: str) -> list[Counts]:
    return [made for page, made in rows if page.set == part and half in ("all", page.half)]


def _results(part: str, half: str, row: dict[str, float]) -> Iterator[dict[str, Any]]:
    for reference, value in row.items():
        if reference != OURS:
            yield {
                "name": "extract-f1", "part": part, "half": half, "value": round(row[OURS], 4), "unit": "F1",
                "reference": reference, "reference_value": round(value, 4), "ratio": round(row[OURS] / max(value, 1e-9), 3),
            }  # fmt: skip
