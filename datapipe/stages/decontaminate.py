"""Decontamination: a document that shares an n-gram with a benchmark's test items is removed whole ("strict"), or loses the
words that it shares ("cut").

Two passes over the documents: the first finds the n-grams of the benchmarks that stand in them, the second removes. Between
them, n-grams that stand in very many documents are set aside: those are licences, templates and proverbs, not leaked items.
They are reported, so that a reader can see what was let through. Instruct data meets the strictest form whatever the mode:
any shared n-gram removes it, frequent or not, and without a benchmark to compare with it does not pass.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache, partial
from typing import Any

import numpy as np
import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from core import storage
from datapipe.config import DecontaminateConfig
from datapipe.decontaminate.index import Index, Lengths, build
from datapipe.decontaminate.readers import read_benchmark
from datapipe.dedup.units import portions
from datapipe.document import INSTRUCT, SCHEMA, Verdict, with_verdicts
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
        ("strict", pa.bool_()),
        ("partial", pa.bool_()),
    ]
)
UNCHECKED = "decontaminate.unchecked_instruct"
REPORTED = 50


def decontaminate(work: Work) -> dict[str, Any]:
    """Removes contaminated documents; the facts hold the hits by benchmark and the n-grams that were set aside."""
    config: DecontaminateConfig = work.config
    if not config.benchmarks:
        note = "No benchmark files are named in decontaminate.benchmarks: nothing was compared, all but instruct data passes."
        return {**work.judge(unchecked), "benchmarks": {}, "instruct": instruct_facts(work), "note": note}
    located = config.located(work.settings.corpus)
    lengths = Lengths(
        config.words, config.characters, config.short_words, config.short_characters, config.share_characters,
        config.enough_characters,
    )  # fmt: skip
    index, facts = build(((name, read_benchmark(name, glob)) for name, glob in located.items()), lengths)
    uri = work.directory.path("index.npz")
    index.save(uri)
    version = storage.listing(uri)[0].version
    hits = work.emit("hits", partial(find_hits, uri=uri, version=version, any_ngram=frozenset(config.any_ngram)), HITS)
    often = hits.groupBy("hash").agg(F.count_distinct("id").alias("documents")).where(F.col("documents") > config.frequent)
    contaminated = work.commit("contaminated", choose(hits, often))
    counts = {row["benchmark"]: row.asDict() for row in by_benchmark(hits, often).collect()}
    return {
        **work.judge(judge if config.mode == "strict" else cut, beside="contaminated"),
        "benchmarks": {name: {**facts[name], **_found(counts.get(name))} for name in sorted(facts)},
        "ngrams": len(index),
        "contaminated": contaminated.count(),
        "instruct": instruct_facts(work),
        "frequent": [row.asDict() for row in examples(hits, often).collect()],
    }


def unchecked(batches: Batches, shard: ShardTask) -> Batches:
    """Everything passes but instruct data."""
    detail = "instruct data passes only when it was compared with benchmarks; name some in decontaminate.benchmarks"
    for batch in batches:
        yield with_verdicts(batch, [Verdict(UNCHECKED, detail=detail) if given else None for given in _instruct(batch)])


def _instruct(batch: pa.RecordBatch) -> list[bool]:
    """Which documents are instruct data."""
    return [any(name == INSTRUCT for name, _ in metadata or ()) for metadata in batch.column("metadata").to_pylist()]


def instruct_facts(work: Work) -> dict[str, dict[str, int]]:
    """Instruct documents that came in, and those that were removed, by domain; `resample` has their share."""
    columns = pa.schema([SCHEMA.field(name) for name in ("domain", "metadata", "verdict")])
    shards = work.table(work.directory.path("shards"), columns)
    rows = shards.where(F.element_at("metadata", INSTRUCT).isNotNull()).groupBy("domain")
    counts = rows.agg(F.count("*").alias("in"), F.count("verdict").alias("removed")).collect()
    return {row["domain"]: {"in": row["in"], "removed": row["removed"]} for row in sorted(counts)}


@lru_cache(maxsize=1)
def _index(uri: str, version: str) -> Index:
    """The index, once for each worker process; another version of the file is another index."""
    return Index.load(uri)


def find_hits(
    batches: Batches, shard: ShardTask, uri: str, version: str, any_ngram: frozenset[str]
) -> Iterator[pa.RecordBatch]:
    """A row for each place in a document where an n-gram of a benchmark stands, with the words as the document has them."""
    index = _index(uri, version)
    for batch in batches:
        texts: list[str] = batch.column("text").to_pylist()
        ids = batch.column("id")
        asks = np.array([domain in any_ngram for domain in batch.column("domain").to_pylist()], np.bool_)
        for part in portions(texts):
            found = index.find(texts[part])
            small = index.partial(found) & ~asks[found.document + part.start]
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
                pa.array(_instruct(batch), pa.bool_()).take(pa.array(rows)),
                pa.array(small),
            ]
            yield pa.RecordBatch.from_arrays(columns, schema=HITS)


def choose(hits: DataFrame, often: DataFrame) -> DataFrame:
    """(shard, id, benchmark, ngrams, item, span, strict, spans) of each contaminated document: the benchmark with most of its
    n-grams (of equals the last by name: the order of rows decides nothing), one of them, and every place that is shared."""
    counted = hits.join(often, "hash", "left").where(_counts())
    by_document = counted.groupBy("shard", "id", "benchmark").agg(
        F.count_distinct("hash").alias("ngrams"),
        F.min(F.struct("item", "span")).alias("first"),
        F.collect_set(F.struct("begin", "end")).alias("places"),
        F.max("strict").alias("strict"),
    )
    best = F.max_by(F.struct("benchmark", "ngrams", "first"), F.struct("ngrams", "benchmark"))
    places = F.sort_array(F.flatten(F.collect_list("places")))
    found = by_document.groupBy("shard", "id").agg(best.alias("best"), places.alias("spans"), F.max("strict").alias("strict"))
    return found.select(
        "shard", "id", "best.benchmark", "best.ngrams", "best.first.item", "best.first.span", "strict", "spans"
    )  # fmt: skip


def _counts() -> Column:
    """Whether a hit counts, once it is joined with the frequent n-grams: those, and parts of an item too small to be a copy of
    it, count in instruct data alone."""
    return (F.col("documents").isNull() & ~F.col("partial")) | F.col("strict")


def by_benchmark(hits: DataFrame, often: DataFrame) -> DataFrame:
    """Documents, items and n-grams found of each benchmark, and how many of its n-grams were set aside as frequent; in how many
    documents a part of an item stands, such as a law that it quotes, counted or not."""
    marked = hits.join(often, "hash", "left")
    counted = _counts()
    return marked.groupBy("benchmark").agg(
        F.count_distinct(F.when(counted, F.col("id"))).alias("documents_hit"),
        F.count_distinct(F.when(counted, F.col("item"))).alias("items_hit"),
        F.count_distinct(F.when(counted, F.col("hash"))).alias("ngrams_hit"),
        F.count_distinct(F.when(F.col("documents").isNotNull(), F.col("hash"))).alias("ngrams_frequent"),
        F.count_distinct(F.when(F.col("partial"), F.col("id"))).alias("documents_partial"),
    )


def examples(hits: DataFrame, often: DataFrame) -> DataFrame:
    """The n-grams set aside, those in most documents first."""
    seen = hits.join(often, "hash").groupBy("hash", "documents").agg(F.min("item").alias("item"), F.min("span").alias("span"))
    return seen.orderBy(F.desc("documents"), "hash").limit(REPORTED).select("documents", "item", "span")


def _found(row: dict[str, Any] | None) -> dict[str, int]:
    names = ("documents_hit", "items_hit", "ngrams_hit", "ngrams_frequent", "documents_partial")
    return {name: int(row[name]) if row else 0 for name in names}


def judge(batches: Batches, shard: ShardTask) -> Batches:
    """Removes each contaminated document; the rule names the benchmark, the measure is the number of its n-grams."""
    assert shard.beside is not None
    known = {row["id"]: row for row in shard.beside.to_pylist()}
    for batch in batches:
        yield with_verdicts(batch, [_verdict(known.get(name)) for name in batch.column("id").to_pylist()])


def _verdict(row: dict[str, Any] | None) -> Verdict | None:
    return Verdict(f"decontaminate.{row['benchmark']}", row["ngrams"], 0, f"{row['item']}: {row['span']}") if row else None


def cut(batches: Batches, shard: ShardTask) -> Batches:
    """Takes the shared words out of each contaminated document and keeps the rest; instruct data goes whole."""
    assert shard.beside is not None
    known = {row["id"]: row for row in shard.beside.to_pylist()}
    for batch in batches:
        texts: list[str] = batch.column("text").to_pylist()
        found = [known.get(name) for name in batch.column("id").to_pylist()]
        edited = [
            without(text, row["spans"]) if row and not row["strict"] else text for row, text in zip(found, texts, strict=True)
        ]
        yield with_verdicts(batch, [_verdict(row) if row and row["strict"] else None for row in found], edited)


def without(text: str, spans: list[dict[str, int]]) -> str:
    """The text less these spans, which may overlap; they come sorted."""
    kept, reached = [], 0
    for span in spans:
        kept.append(text[reached : max(reached, span["begin"])])
        reached = max(reached, span["end"])
    return "".join([*kept, text[reached:]])
