"""Decontamination on planted items: recall by benchmark and by kind of change, and false positives on clean text.

Items of every benchmark are planted, one each, into the middle of clean documents: verbatim (question, then lettered
choices), rewrapped at 60 columns, repunctuated and in capitals, and, of the items shorter than an n-gram,
verbatim ("short"); of long items their first halves ("half", without a bar: what a cut copy leaves). The search is the
stage's own (index and normal form, frequent n-grams apart). Beside each
figure, on the same documents, what plain 13-grams of lower-case words between spaces find: the usual way.
"""

from __future__ import annotations

import argparse
import random
import re
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.minhash_speed import read_texts
from datapipe.decontaminate.index import Index, Lengths, build
from datapipe.decontaminate.readers import READERS, Item, read_benchmark
from datapipe.dedup.units import units

GLOBS = {name: f"benchmarks/{name}" for name in READERS} | {"ceval": "benchmarks/ceval/val*"}
LETTERS = "ABCDEFGH"


def main(arguments: list[str]) -> Iterator[dict[str, Any]]:
    parser = argparse.ArgumentParser(prog="decontaminate-recall", description=__doc__)
    parser.add_argument("--corpus", required=True, help="a folder with benchmarks/ and corpus/*.jsonl.zst")
    parser.add_argument("--items", type=int, default=150, help="planted items of each benchmark")
    parser.add_argument("--megabytes", type=float, default=40.0, help="clean text of each language")
    parser.add_argument("--hits", action="store_true", help="also print what was found in clean text")
    options = parser.parse_args(arguments)
    root = Path(options.corpus)
    benchmarks = {name: list(read_benchmark(name, str(root / glob))) for name, glob in sorted(GLOBS.items())}
    lengths = Lengths()
    index, _ = build(benchmarks.items(), lengths)
    plain = {gram for items in benchmarks.values() for item in items for gram in spaced_grams(rendered(item))}
    clean = {language: read_texts(root, language, options.megabytes, 6000) for language in ("en", "zh")}

    totals: dict[str, list[tuple[int, int, int]]] = {}
    for name, items in benchmarks.items():
        draw = random.Random(name)
        chosen = draw.sample(items, min(options.items, len(items)))
        for kind, change in CHANGES.items():
            own = [item for item in chosen if _fits(kind, item, lengths)]
            if not own:
                continue
            hosts = clean["zh" if units([own[0].texts[0]]).unspaced()[0] else "en"]
            texts = [planted(change(item), draw.choice(hosts)) for item in own]
            found, usual = count(index, texts), sum(not plain.isdisjoint(spaced_grams(text)) for text in texts)
            totals.setdefault(kind, []).append((found, usual, len(own)))
            yield _figure(f"{name}.{kind}", found, usual, len(own))
    for kind, rows in totals.items():
        yield _figure(f"all.{kind}", *(sum(column) for column in zip(*rows, strict=True)))
    for language, texts in clean.items():
        found, usual = count(index, texts), sum(not plain.isdisjoint(spaced_grams(text)) for text in texts)
        yield _figure(f"clean.{language}.false-positives", found, usual, len(texts))
        if options.hits:
            for row in hits(index, texts):
                print(row)


def rendered(item: Item) -> str:
    """An item as a page would show it: its texts, then its choices with their letters."""
    choices = [f"{letter}. {choice}" for letter, choice in zip(LETTERS, item.choices, strict=False)]
    return "\n".join([*item.texts, *choices])


def _repunctuated(text: str) -> str:
    """Other marks, other quotes, capitals: what another site makes of a text."""
    return re.sub(r"[,;:，；：、]", " -- ", re.sub(r"[.?!。？！\"'“”‘’]", " … ", text)).upper()


CHANGES: dict[str, Callable[[Item], str]] = {
    "verbatim": rendered,
    "wrapped": lambda item: textwrap.fill(rendered(item), 60),
    "repunctuated": lambda item: _repunctuated(rendered(item)),
    "short": rendered,
    "half": lambda item: (text := " ".join(item.texts))[: len(text) // 2],
}
LONG = 200  # characters of an item of which a half is worth planting


def _fits(kind: str, item: Item, lengths: Lengths) -> bool:
    """Whether a change is made to the item."""
    if kind == "half":
        return len(" ".join(item.texts)) >= LONG
    return kind != "short" or is_short(item, lengths)


def is_short(item: Item, lengths: Lengths) -> bool:
    """No text of the item is as long as an n-gram."""
    cut = units(item.texts)
    return bool(np.all(cut.counts < np.where(cut.unspaced(), lengths.characters, lengths.words)))


def planted(text: str, host: str) -> str:
    """The text as a paragraph in the middle of another."""
    middle = host.find("\n", len(host) // 2)
    middle = len(host) // 2 if middle < 0 else middle
    return f"{host[:middle]}\n\n{text}\n\n{host[middle:]}"


def spaced_grams(text: str, length: int = 13) -> set[int]:
    words = text.lower().split()
    return {hash(tuple(words[start : start + length])) for start in range(len(words) - length + 1)}


def count(index: Index, texts: list[str]) -> int:
    """Documents in which an item is found."""
    found = 0
    for start in range(0, len(texts), 200):
        hits = index.find(texts[start : start + 200])
        found += len(np.unique(hits.document[~index.partial(hits)]))
    return found


def hits(index: Index, texts: list[str]) -> Iterator[dict[str, Any]]:
    for text in texts:
        found = index.find([text])
        rows = zip(found.item, found.begin, found.end, index.partial(found), strict=True)
        for item, begin, end, small in [next(rows)] if len(found.item) else []:
            yield {"item": index.names[item], "span": text[begin:end], "a part of it only": bool(small)}


BARS = {"verbatim": 0.99, "short": 0.99, "wrapped": 0.95, "repunctuated": 0.95, "false-positives": 0.001}


def _figure(name: str, found: int, usual: int, of: int) -> dict[str, Any]:
    value, reference = found / of, usual / of
    return {
        "name": f"decontaminate-recall.{name}",
        "value": round(value, 4),
        "unit": "share",
        "reference": "13-grams of words between spaces",
        "reference_value": round(reference, 4),
        "ratio": round(value / reference, 2) if reference else None,
        "documents": of,
        "bar": BARS.get(name.rpartition(".")[2]),
    }
