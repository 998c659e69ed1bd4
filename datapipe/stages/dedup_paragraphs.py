"""Repeated paragraphs: the first occurrence in the corpus stays, the others are cut out of their documents.

"First" is by (id, position), so by content and not by arrival: any number of partitions cuts the same paragraphs. Short ones
(headings, phrases) repeat by nature and are left alone, save at the two ends of a page: there, what stands on many pages of
the same host is furniture (menus, notices), and all of it goes. Only (hash, id, position) is shuffled; the text is edited
where it lies.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import xxhash
from numpy.typing import NDArray
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from datapipe.config import DedupParagraphsConfig
from datapipe.dedup.paragraphs import paragraphs, to_cut, without
from datapipe.dedup.units import portions
from datapipe.document import Verdict, with_verdicts
from datapipe.quality.windows import host_of
from datapipe.work import Batches, ShardTask, Work

KEYS = pa.schema(
    [
        ("hash", pa.int64()),
        ("id", pa.string()),
        ("position", pa.int32()),
        ("shard", pa.int32()),
        ("short", pa.bool_()),
        ("again", pa.bool_()),  # the same stands before it on its page: pages are counted without shuffling their ids
    ]
)
ENDS = 12  # paragraphs at the beginning and at the end of a page among which furniture is looked for


def dedup_paragraphs(work: Work) -> dict[str, Any]:
    """Cuts repeated paragraphs out; removes the documents of which too little is left."""
    config: DedupParagraphsConfig = work.config
    keys = work.emit("paragraphs", partial(paragraph_keys, config=config), KEYS)
    repeated = work.commit("repeated", choose_repeated(keys, config))
    facts = work.judge(partial(cut, config=config), beside="repeated")
    compared = keys.where(~F.col("short")).count()
    sizes = [F.coalesce(F.sum(F.size(name)), F.lit(0)) for name in ("positions", "furniture")]
    found = repeated.agg(F.count("*"), *sizes).first()
    assert found is not None
    facts["paragraphs"] = {"compared": compared, "repeated": found[1], "documents_cut": found[0], "furniture": found[2]}
    return facts


def paragraph_keys(batches: Batches, shard: ShardTask, config: DedupParagraphsConfig) -> Iterator[pa.RecordBatch]:
    """One row for each paragraph that may be repeated: those long enough to count, in scope `domain` hashed with their
    domain; and the short ones at the ends of a page whose host is known, hashed with that host."""
    for batch in batches:
        ids, domains, texts, urls = (batch.column(name).to_pylist() for name in ("id", "domain", "text", "url"))
        exempt = np.array([domain in config.exempt_domains for domain in domains], np.bool_)
        hosts = [host_of(url) or "" for url in urls]
        hosted = np.array([name != "" for name in hosts], np.bool_) & (config.furniture > 0)
        of_domain = _salts(domains if config.scope == "domain" else [""] * len(domains))
        of_host = _salts(hosts)
        for part in portions(texts):
            found = paragraphs(texts[part], config.wrapped_from)
            counts = np.diff(found.offsets)
            owner = np.repeat(np.arange(part.start, part.stop), counts)
            position = np.arange(len(owner)) - np.repeat(found.offsets[:-1], counts)
            short = found.units < np.where(found.unspaced, config.min_characters, config.min_words)
            at_end = (position < ENDS) | (position >= np.repeat(counts, counts) - ENDS)
            chosen = ~exempt[owner] & (~short | (at_end & hosted[owner]))
            hashes = found.hashes ^ np.where(short, of_host[owner], of_domain[owner])
            owner, hashes = owner[chosen], hashes[chosen]
            columns = [
                pa.array(hashes.view(np.int64)),
                pa.array(ids).take(pa.array(owner)),
                pa.array(position[chosen].astype(np.int32)),
                pa.array(np.full(len(owner), shard.index, np.int32)),
                pa.array(short[chosen]),
                pa.array(_again(owner, hashes)),
            ]
            yield pa.RecordBatch.from_arrays(columns, schema=KEYS)


def _again(owner: NDArray[np.int64], hashes: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Whether an earlier paragraph of the same document has the same hash, for each of them [n]."""
    order = np.lexsort((hashes, owner))  # stable, so the first of equal ones comes first
    before, after = order[:-1], order[1:]
    again = np.zeros(len(order), np.bool_)
    again[after] = (owner[before] == owner[after]) & (hashes[before] == hashes[after])
    return again


def _salts(names: list[str]) -> NDArray[np.uint64]:
    known = {name: xxhash.xxh3_64_intdigest(name.encode()) for name in set(names)}
    return np.array([known[name] for name in names], np.uint64)


def choose_repeated(keys: DataFrame, config: DedupParagraphsConfig) -> DataFrame:
    """What to cut: (shard, id, positions, furniture), a row for each document that may lose any."""
    short = F.col("short")
    long = keys.where(~short)
    if config.repeats == "keep_first":
        first = Window.partitionBy("hash").orderBy("id", "position")
        chosen = long.withColumn("place", F.row_number().over(first)).where("place > 1").drop("place")
    else:
        chosen = _more_often(long, long, config.above)
    if config.furniture:
        ends = keys.where(short)
        chosen = chosen.unionByName(_more_often(ends, ends.where(~F.col("again")), config.furniture))

    def positions(which: Column) -> Column:
        return F.sort_array(F.collect_list(F.when(which, F.col("position"))))

    return chosen.groupBy("shard", "id").agg(positions(~short).alias("positions"), positions(short).alias("furniture"))


def _more_often(keys: DataFrame, counted: DataFrame, above: int) -> DataFrame:
    """The rows whose hash occurs more than `above` times among those that are counted."""
    often = counted.groupBy("hash").count().where(F.col("count") > above).select("hash")
    return keys.join(often, "hash", "left_semi")


def cut(batches: Batches, shard: ShardTask, config: DedupParagraphsConfig) -> Batches:
    """Cuts the chosen paragraphs out of each document, and removes it where too small a share of its units is left."""
    assert shard.beside is not None
    columns = (shard.beside.column(name).to_pylist() for name in ("id", "positions", "furniture"))
    chosen = {identity: (set(positions), set(ends)) for identity, positions, ends in zip(*columns, strict=True)}
    for batch in batches:
        texts: list[str] = batch.column("text").to_pylist()
        verdicts: list[Verdict | None] = [None] * len(texts)
        ids = batch.column("id").to_pylist()
        rows = [row for row, identity in enumerate(ids) if identity in chosen]
        touched = [texts[row] for row in rows]
        edited = list(texts)
        for part in portions(touched):
            found = paragraphs(touched[part], config.wrapped_from)
            for place, row in enumerate(rows[part]):
                own = slice(int(found.offsets[place]), int(found.offsets[place + 1]))
                dropped = to_cut(own.stop - own.start, *chosen[ids[row]])
                verdicts[row] = _judge_cut(found.units[own], dropped, config)
                if dropped and verdicts[row] is None:
                    edited[row] = without(texts[row], found.begin[own].tolist(), dropped)
        yield with_verdicts(batch, verdicts, edited if rows else None)


def _judge_cut(units: NDArray[np.int64], dropped: set[int], config: DedupParagraphsConfig) -> Verdict | None:
    """Whether too little of a document would be left: `units` are those of its paragraphs, `dropped` the ones that go."""
    gone, total = int(units[sorted(dropped)].sum()), int(units.sum())
    if not gone:
        return None
    left = 1 - gone / total
    if gone < total and left >= config.min_left:
        return None
    detail = f"{len(dropped)} of {len(units)} paragraphs stand elsewhere"
    return Verdict("dedup_paragraphs.left", left, config.min_left, detail)
