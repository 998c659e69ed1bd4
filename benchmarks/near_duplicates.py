"""Document dedup against an exact oracle: which pairs of natural near-duplicates it finds, and whom it removes wrongly.

The oracle compares all pairs of documents by the true Jaccard of their shingles, as strings, without hashing, banding or
leaders; it shares with the stage only what a shingle is. Measured, over each family file and over all of them at once:
- recall: of the pairs at Jaccard >= 0.8, the share that ends in one cluster;
- resolved: of those pairs, the share of which at most one document stays;
- precision: of the (removed, survivor) pairs, the share that the oracle puts at Jaccard >= 0.8.
"""

from __future__ import annotations

import argparse
import gzip
import json
import tempfile
import unicodedata
from collections import Counter
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

from benchmarks._one_stage import prepare, rows
from datapipe.config import DataConfig, DedupDocumentsConfig, ExtractConfig, SparkConfig
from datapipe.dedup.units import units
from datapipe.document import Document
from datapipe.stages.dedup_documents import dedup_documents

BAR_RECALL, BAR_PRECISION = 0.98, 1.0


def main(arguments: list[str]) -> Iterator[dict[str, Any]]:
    parser = argparse.ArgumentParser(prog="near-duplicates", description=__doc__)
    parser.add_argument("--corpus", required=True, help="a folder with near_duplicates/*.jsonl.gz")
    parser.add_argument("--threshold", type=float, default=0.8)
    options = parser.parse_args(arguments)
    config = DedupDocumentsConfig(threshold=options.threshold)
    documents: dict[str, Document] = {}
    files: dict[str, list[str]] = {}
    for path in sorted(Path(options.corpus, "near_duplicates").glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as handle:
            for number, line in enumerate(handle):
                text = json.loads(line)["text"]
                document = Document(source=path.name, key=str(number), domain="WebText", text=text)
                documents[document.id] = document
                files.setdefault(path.name.split(".")[0], []).append(document.id)
    pairs = oracle(documents, config)
    with tempfile.TemporaryDirectory() as folder:
        settings = DataConfig(extract=ExtractConfig(shards=4), dedup_documents=config, spark=SparkConfig(partitions=4))
        work = prepare(folder, "dedup_documents", documents.values(), settings)
        dedup_documents(work)
        judged = {row["id"]: row for row in rows(work, "id", "cluster", "verdict")}
        work.session.stop()
    for name, own in [*sorted(files.items()), ("all", list(documents))]:
        yield from _figures(name, set(own), pairs, judged, config.threshold)


def oracle(documents: dict[str, Document], config: DedupDocumentsConfig) -> dict[tuple[str, str], float]:
    """True Jaccard of every pair that shares a shingle, by ids in order."""
    sets = {name: _shingles(document.text, config) for name, document in documents.items()}
    holders: dict[tuple[str, ...], list[str]] = {}
    for name, own in sets.items():
        for shingle in own:
            holders.setdefault(shingle, []).append(name)
    shared = Counter(pair for names in holders.values() for pair in combinations(sorted(names), 2))
    return {pair: count / (len(sets[pair[0]]) + len(sets[pair[1]]) - count) for pair, count in shared.items()}


def _shingles(text: str, config: DedupDocumentsConfig) -> set[tuple[str, ...]]:
    cut = units([text])
    places = zip(cut.start.tolist(), cut.end.tolist(), strict=True)
    words = [unicodedata.normalize("NFKD", text[begin:end]).casefold() for begin, end in places]
    length = config.characters if cut.unspaced()[0] else config.words
    if len(words) < length:
        return {tuple(words)} if words else set()
    return {tuple(words[start : start + length]) for start in range(len(words) - length + 1)}


def _figures(
    name: str, own: set[str], pairs: dict[tuple[str, str], float], judged: dict[str, dict[str, Any]], threshold: float
) -> Iterator[dict[str, Any]]:
    near = [pair for pair, likeness in pairs.items() if likeness >= threshold and own.issuperset(pair)]
    together = sum(judged[one]["cluster"] == judged[other]["cluster"] for one, other in near)
    resolved = sum(judged[one]["verdict"] is not None or judged[other]["verdict"] is not None for one, other in near)
    gone = [judged[one] for one in own if judged[one]["verdict"]]
    removed = [(row["id"], row["verdict"]["detail"].split()[-1]) for row in gone]
    right = sum(pairs.get((min(pair), max(pair)), 0.0) >= threshold for pair in removed)
    for figure, count, of, bar in (
        ("recall", together, len(near), BAR_RECALL),
        ("resolved", resolved, len(near), BAR_RECALL),
        ("precision", right, len(removed), BAR_PRECISION),
    ):
        value = count / of if of else 1.0
        yield {
            "name": f"near-duplicates.{name}.{figure}",
            "value": round(value, 4),
            "unit": "share",
            "reference": f"exact all-pairs oracle, bar {bar}",
            "reference_value": bar,
            "ratio": round(value / bar, 4),
            "pairs": of,
        }
