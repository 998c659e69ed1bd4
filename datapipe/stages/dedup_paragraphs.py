"""Repeated paragraphs: the first occurrence in the corpus stays, the others are cut out of their documents.

"First" is by (id, position), so by content and not by arrival: any number of partitions cuts the same paragraphs. Only
(hash, id, position) is shuffled; the text is edited where it lies.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import xxhash
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from datapipe.config import DedupParagraphsConfig
from datapipe.dedup.paragraphs import paragraphs, without
from datapipe.dedup.units import portions
from datapipe.document import Verdict, with_verdicts
from datapipe.work import Batches, ShardTask, Work

KEYS = pa.schema([("hash", pa.int64()), ("id", pa.string()), ("position", pa.int32()), ("shard", pa.int32())])


def dedup_paragraphs(work: Work) -> dict[str, Any]:
    """Cuts repeated paragraphs out; removes the documents of which too little is left."""
    config: DedupParagraphsConfig = work.config
    keys = work.emit("paragraphs", partial(paragraph_keys, config=config), KEYS)
    repeated = work.commit("repeated", choose_repeated(keys, config))
    facts = work.judge(partial(cut, config=config), beside="repeated")
    seen, documents, dropped = keys.count(), repeated.count(), repeated.select(F.sum(F.size("positions"))).first()
    facts["paragraphs"] = {"compared": seen, "repeated": (dropped[0] or 0) if dropped else 0, "documents_cut": documents}
    return facts


def paragraph_keys(batches: Batches, shard: ShardTask, config: DedupParagraphsConfig) -> Iterator[pa.RecordBatch]:
    """One row for each paragraph that is long enough to count; in scope `domain` the hash holds the domain too."""
    for batch in batches:
        ids, domains, texts = (batch.column(name).to_pylist() for name in ("id", "domain", "text"))
        for part in portions(texts):
            found = paragraphs(texts[part], config.wrapped_from)
            owner = np.repeat(np.arange(part.start, part.stop), np.diff(found.offsets))
            position = np.arange(len(owner)) - np.repeat(found.offsets[:-1], np.diff(found.offsets))
            long_enough = found.units >= np.where(found.unspaced, config.min_characters, config.min_words)
            exempt = np.array([domain in config.exempt_domains for domain in domains], np.bool_)
            chosen = long_enough & ~exempt[owner]
            salt = _salts(domains) if config.scope == "domain" else np.zeros(len(domains), np.uint64)
            hashes = (found.hashes ^ salt[owner])[chosen].view(np.int64)
            names = pa.array(ids).take(pa.array(owner[chosen]))
            where = pa.array(np.full(len(names), shard.index, np.int32))
            yield pa.RecordBatch.from_arrays(
                [pa.array(hashes), names, pa.array(position[chosen].astype(np.int32)), where], schema=KEYS
            )


def _salts(domains: list[str]) -> np.ndarray[Any, np.dtype[np.uint64]]:
    known = {domain: xxhash.xxh3_64_intdigest(domain.encode()) for domain in set(domains)}
    return np.array([known[domain] for domain in domains], np.uint64)


def choose_repeated(keys: DataFrame, config: DedupParagraphsConfig) -> DataFrame:
    """The paragraphs to cut: (shard, id, positions), a row for each document that loses any."""
    same = Window.partitionBy("hash")
    if config.repeats == "keep_first":
        chosen = keys.withColumn("rank", F.row_number().over(same.orderBy("id", "position"))).where("rank > 1")
    else:
        often = keys.groupBy("hash").count().where(F.col("count") > config.above).select("hash")
        chosen = keys.join(often, "hash", "left_semi")
    return chosen.groupBy("shard", "id").agg(F.sort_array(F.collect_list("position")).alias("positions"))


def cut(batches: Batches, shard: ShardTask, config: DedupParagraphsConfig) -> Batches:
    """Cuts the chosen paragraphs out of each document, and removes it where too small a share of its units is left."""
    assert shard.beside is not None
    chosen = dict(zip(shard.beside.column("id").to_pylist(), shard.beside.column("positions").to_pylist(), strict=True))
    for batch in batches:
        texts: list[str] = batch.column("text").to_pylist()
        verdicts: list[Verdict | None] = [None] * len(texts)
        edited = list(texts)
        for row, identity in enumerate(batch.column("id").to_pylist()):
            if identity in chosen:
                edited[row], verdicts[row] = _cut_one(texts[row], set(chosen[identity]), config)
        touched = any(new is not old for new, old in zip(edited, texts, strict=True))
        yield with_verdicts(batch, verdicts, edited if touched else None)


def _cut_one(text: str, positions: set[int], config: DedupParagraphsConfig) -> tuple[str, Verdict | None]:
    """The text that is left, or the whole text with its verdict where too little would be."""
    found = paragraphs([text], config.wrapped_from)
    gone = int(found.units[sorted(positions)].sum())
    total = int(found.units.sum())
    left = 1 - gone / total
    if gone == total or left < config.min_left:
        detail = f"{len(positions)} of {len(found.units)} paragraphs stand elsewhere"
        return text, Verdict("dedup_paragraphs.left", left, config.min_left, detail)
    return without(text, found.begin.tolist(), positions), None
