"""Decontamination: a document that shares an n-gram with a benchmark's test items is removed whole ("strict"), or loses the
words that it shares ("cut").

Two passes over the documents: the first finds the n-grams of the benchmarks that stand in them, the second removes. Between
them, n-grams that stand in very many documents are set aside: those are licences, templates and proverbs, not leaked items.
They are reported, so that a reader can see what was let through.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache, partial
from typing import Any

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from core import storage
from datapipe.config import DecontaminateConfig
from datapipe.decontaminate.index import Index, Lengths, build
from datapipe.decontaminate.readers import read_benchmark
from datapipe.dedup.units import portions
from datapipe.document import Verdict, with_verdicts
from datapipe.work import Batches, ShardTask, Work

HITS = pa.schema(
    [
        ("shard", pa.int32()),
        ("id", pa.string()),
        ("hash", pa.int64()),
        ("benchmark", pa.string()),
        ("item", pa.string()),
        ("span", pa.string()),
        ("begin", pa.int64()),
        ("end", pa.int64()),
    ]
)
REPORTED = 50


def decontaminate(work: Work) -> dict[str, Any]:
    """Removes contaminated documents; the facts hold the hits by benchmark and the n-grams that were set aside."""
    config: DecontaminateConfig = work.config
    if not config.benchmarks:
        note = "No benchmark files are named in decontaminate.benchmarks: nothing was compared, every document passes."
        return {**work.judge(untouched), "benchmarks": {}, "note": note}
    located = config.located(work.settings.corpus)
    lengths = Lengths(config.words, config.characters, config.short_words, config.short_characters)
    index, facts = build(((name, read_benchmark(name, glob)) for name, glob in located.items()), lengths)
    uri = work.directory.path("index.npz")
    index.save(uri)
    hits = work.emit("hits", partial(find_hits, uri=uri, version=storage.listing(uri)[0].version), HITS)
    often = hits.groupBy("hash").agg(F.count_distinct("id").alias("documents")).where(F.col("documents") > config.frequent)
    contaminated = work.commit("contaminated", choose(hits, often))
    counts = {row["benchmark"]: row.asDict() for row in by_benchmark(hits, often).collect()}
    return {
        **work.judge(judge if config.mode == "strict" else cut, beside="contaminated"),
        "benchmarks": {name: {**facts[name], **_found(counts.get(name))} for name in sorted(facts)},
        "ngrams": len(index),
        "contaminated": contaminated.count(),
        "frequent": [row.asDict() for row in examples(hits, often).collect()],
    }


def untouched(batches: Batches, shard: ShardTask) -> Batches:
    return batches


@lru_cache(maxsize=1)
def _index(uri: str, version: str) -> Index:
    """The index, once for each worker process; another version of the file is another index."""
    return Index.load(uri)


def find_hits(batches: Batches, shard: ShardTask, uri: str, version: str) -> Iterator[pa.RecordBatch]:
    """A row for each place in a document where an n-gram of a benchmark stands, with the words as the document has them."""
    index = _index(uri, version)
    for batch in batches:
        texts: list[str] = batch.column("text").to_pylist()
        ids = batch.column("id")
        for part in portions(texts):
            found = index.find(texts[part])
            rows = found.document + part.start
            places = zip(rows.tolist(), found.begin.tolist(), found.end.tolist(), strict=True)
            items = found.item.tolist()
            columns = [
                pa.array(np.full(len(rows), shard.index, np.int32)),
                ids.take(pa.array(rows)),
                pa.array(found.hashes.view(np.int64)),
                pa.array([index.benchmark(item) for item in items], pa.string()),
                pa.array([index.names[item] for item in items], pa.string()),
                pa.array([texts[row][begin:end] for row, begin, end in places], pa.string()),
                pa.array(found.begin),
                pa.array(found.end),
            ]
            yield pa.RecordBatch.from_arrays(columns, schema=HITS)


def choose(hits: DataFrame, often: DataFrame) -> DataFrame:
    """(shard, id, benchmark, ngrams, item, span, spans) of each contaminated document: the benchmark with most of its
    n-grams (of equals the last by name: the order of rows decides nothing), one of them, and every place that is shared."""
    counted = hits.join(often, "hash", "left_anti")
    by_document = counted.groupBy("shard", "id", "benchmark").agg(
        F.count_distinct("hash").alias("ngrams"),
        F.min(F.struct("item", "span")).alias("first"),
        F.collect_set(F.struct("begin", "end")).alias("places"),
    )
    best = F.max_by(F.struct("benchmark", "ngrams", "first"), F.struct("ngrams", "benchmark"))
    places = F.sort_array(F.flatten(F.collect_list("places")))
    return by_document.groupBy("shard", "id").agg(best.alias("best"), places.alias("spans")).select(
        "shard", "id", "best.benchmark", "best.ngrams", "best.first.item", "best.first.span", "spans"
    )  # fmt: skip


def by_benchmark(hits: DataFrame, often: DataFrame) -> DataFrame:
    """Documents, items and n-grams found of each benchmark, and how many of its n-grams were set aside as frequent."""
    marked = hits.join(often, "hash", "left")
    counted = F.col("documents").isNull()
    return marked.groupBy("benchmark").agg(
        F.count_distinct(F.when(counted, F.col("id"))).alias("documents_hit"),
        F.count_distinct(F.when(counted, F.col("item"))).alias("items_hit"),
        F.count_distinct(F.when(counted, F.col("hash"))).alias("ngrams_hit"),
        F.count_distinct(F.when(~counted, F.col("hash"))).alias("ngrams_frequent"),
    )


def examples(hits: DataFrame, often: DataFrame) -> DataFrame:
    """The n-grams set aside, those in most documents first."""
    seen = hits.join(often, "hash").groupBy("hash", "documents").agg(F.min("item").alias("item"), F.min("span").alias("span"))
    return seen.orderBy(F.desc("documents"), "hash").limit(REPORTED).select("documents", "item", "span")


def _found(row: dict[str, Any] | None) -> dict[str, int]:
    names = ("documents_hit", "items_hit", "ngrams_hit", "ngrams_frequent")
    return {name: int(row[name]) if row else 0 for name in names}


def judge(batches: Batches, shard: ShardTask) -> Batches:
    """Removes each contaminated document; the rule names the benchmark, the measure is the number of its n-grams."""
    assert shard.beside is not None
    known = {row["id"]: row for row in shard.beside.to_pylist()}
    for batch in batches:
        verdicts: list[Verdict | None] = []
        for name in batch.column("id").to_pylist():
            row = known.get(name)
            detail = f"{row['item']}: {row['span']}" if row else None
            verdicts.append(Verdict(f"decontaminate.{row['benchmark']}", row["ngrams"], 0, detail) if row else None)
        yield with_verdicts(batch, verdicts)


def cut(batches: Batches, shard: ShardTask) -> Batches:
    """Takes the shared words out of each contaminated document and keeps the rest."""
    assert shard.beside is not None
    known = dict(zip(shard.beside.column("id").to_pylist(), shard.beside.column("spans").to_pylist(), strict=True))
    for batch in batches:
        texts: list[str] = batch.column("text").to_pylist()
        ids = batch.column("id").to_pylist()
        edited = [without(text, known[name]) if name in known else text for name, text in zip(ids, texts, strict=True)]
        yield with_verdicts(batch, [None] * len(texts), edited)


def without(text: str, spans: list[dict[str, int]]) -> str:
    """The text less these spans, which may overlap; they come sorted."""
    kept, reached = [], 0
    for span in spans:
        kept.append(text[reached : max(reached, span["begin"])])
        reached = max(reached, span["end"])
    return "".join([*kept, text[reached:]])
