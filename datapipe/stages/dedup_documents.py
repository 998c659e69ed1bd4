"""Near-duplicate documents: of each group of copies one survivor stays (Broder 1997; every edge verified, as in Dolma 3).

What is shuffled are bands, ranks and sketches (half a byte a minimum), then the pairs that met, then the shingle hashes of
their leaders, each once for each shard that has members of it. Text is read once, to sign it, and once more to write it out.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from datapipe.config import DedupDocumentsConfig
from datapipe.dedup.buckets import bands, meet
from datapipe.dedup.components import decide
from datapipe.dedup.graph import decide_with_graphx
from datapipe.dedup.index import SIGNATURES, Index, Place, earlier, write_header
from datapipe.dedup.minhash import MinHash
from datapipe.dedup.rank import binary, ranks
from datapipe.dedup.shingles import shingle_sets
from datapipe.dedup.units import portions
from datapipe.dedup.verify import EDGES, gather, verify
from datapipe.document import SCHEMA, Verdict, set_column, with_verdicts
from datapipe.shards import shard_name
from datapipe.work import Batches, ShardTask, Work

RULE = "dedup_documents.near_duplicate"
LARGEST = 20  # clusters whose sizes are reported
WITHOUT_ROOM = "dedup_documents.without_room"  # a measure of documents that stay: buckets whose leaders were too many


def dedup_documents(work: Work) -> dict[str, Any]:
    """Writes the cluster of every document, and removes those that are near to a survivor of theirs."""
    config: DedupDocumentsConfig = work.config
    indexes = earlier(config)
    work.emit("signatures", partial(sign, config=config), SIGNATURES)
    write_header(work.directory.path(), config, work.shards)
    places = [*own_places(work), *(place for index in indexes for place in index.places)]
    pairs = work.commit("pairs", by_member(meet_in_bands(work, places, config), work.shards))
    edges = work.commit("edges", by_member(verified(work, pairs, places, indexes, config), work.shards))
    count = edges.count()
    decided = work.commit("clusters", named(work, edges, count, pairs, config))
    facts = work.judge(partial(judge, config=config), beside="clusters")
    return {**facts, "near_duplicates": {"edges": count, **summary(decided)}}


def sign(batches: Batches, shard: ShardTask, config: DedupDocumentsConfig) -> Iterator[pa.RecordBatch]:
    """Rank, signature and shingle hashes of each document."""
    family = MinHash.of(config)
    for batch in batches:
        texts: list[str] = batch.column("text").to_pylist()
        ids, quality, dates = (batch.column(name).to_pylist() for name in ("id", "quality", "date"))
        for part in portions(texts):
            sets = shingle_sets(texts[part], config.words, config.characters)
            signed = family.sign(sets)
            offsets = pa.py_buffer((sets.offsets * 4).astype(np.int32))
            hashes = pa.Array.from_buffers(pa.binary(), len(sets), [None, offsets, pa.py_buffer(sets.hashes)])
            lengths = [len(text) for text in texts[part]]
            rows = batch.slice(part.start, part.stop - part.start)
            columns = [
                *(rows.column(name) for name in ("id", "domain", "language")),
                ranks(ids[part], quality[part], lengths, dates[part]),
                binary(signed.astype("<u4", copy=False).view(np.uint8)),
                hashes,
            ]
            yield pa.RecordBatch.from_arrays(columns, schema=SIGNATURES)


def own_places(work: Work) -> list[Place]:
    """The signature files of this run, by shard."""
    return [Place(work.directory.path("signatures", shard_name(shard))) for shard in range(work.shards)]


def meet_in_bands(work: Work, places: list[Place], config: DedupDocumentsConfig) -> DataFrame:
    """(leader, member, buckets): which document must be compared with which leader, and in how many buckets they met. A
    document that found no room among the leaders of some buckets has a row without leader."""
    files = work.session.range(0, len(places), 1, len(places))
    banded = files.mapInArrow(partial(bands, places=places, config=config), "band long, row binary")
    ordered = banded.repartition("band").sortWithinPartitions("band", "row")
    met = ordered.mapInArrow(partial(meet, config=config), "leader binary, member binary")
    return met.groupBy("leader", "member").agg(F.count("*").alias("buckets"))


def verified(
    work: Work, pairs: DataFrame, places: list[Place], indexes: list[Index], config: DedupDocumentsConfig
) -> DataFrame:
    """(leader, member, likeness) of each pair whose true Jaccard reaches the threshold."""
    leader = F.col("leader")
    base, place = work.shards, _shard(leader, work.shards)
    for index in indexes:
        era = leader.substr(1, 1) == F.lit(bytes([index.era]))
        place = F.when(era, _shard(leader, index.shards) + base).otherwise(place)
        base += index.shards
    asked = pairs.where(leader.isNotNull()).select(place.cast("int").alias("place"), leader, F.col("shard").alias("target"))
    sets = asked.distinct().repartitionById(len(places), "place")
    sets = sets.mapInArrow(partial(gather, places=places), "target int, leader binary, shingles binary")
    check = partial(verify, places=places, pairs=work.directory.path("pairs"), threshold=config.threshold)
    return sets.repartitionById(work.shards, "target").mapInArrow(check, "leader binary, member binary, likeness double")


def _shard(rank: Column, shards: int) -> Column:
    return F.conv(F.hex(rank.substr(14, 4)), 16, 10).cast("long") % shards


def _identity(rank: Column) -> Column:
    return F.lower(F.hex(rank.substr(14, 16)))


def by_member(frame: DataFrame, shards: int) -> DataFrame:
    """The rows with the shard and id of their member, as sub-steps are stored."""
    member = F.col("member")
    return frame.select(_shard(member, shards).cast("int").alias("shard"), _identity(member).alias("id"), "*")


def named(work: Work, edges: DataFrame, count: int, pairs: DataFrame, config: DedupDocumentsConfig) -> DataFrame:
    """What is decided of each document that has an edge (there are `count`) or found no room, by ids: (shard, id, cluster,
    survivor, likeness, without_room)."""
    if count <= config.driver_edges:
        found = work.session.createDataFrame(decide(edges.select(*EDGES.names).toArrow()))
    else:
        found = decide_with_graphx(work.session, edges.select(*EDGES.names))
    names = [_identity(F.col(name)).alias(name) for name in ("cluster", "survivor")]
    decided = by_member(found, work.shards).select(
        "shard", "id", *names, "likeness", F.lit(0).cast("long").alias("without_room")
    )
    crowded = pairs.where(F.col("leader").isNull())
    nobody = [F.lit(None).cast("string").alias(name) for name in ("cluster", "survivor")]
    alone = crowded.select("shard", "id", *nobody, F.lit(None).cast("double").alias("likeness"), F.col("buckets"))
    return decided.unionByName(alone.withColumnRenamed("buckets", "without_room"))


def summary(decided: DataFrame) -> dict[str, Any]:
    """Clusters of this run's documents: how many, of how many documents, the sizes of the largest; documents without room."""
    sizes = decided.groupBy("cluster").agg(F.count("*").alias("size"))
    counted = sizes.groupBy(F.col("cluster").isNull().alias("without_room"), "size").agg(F.count("*").alias("clusters"))
    rows = counted.orderBy(F.desc("size")).collect()  # a row for each size that occurs
    real = [(row["size"], row["clusters"]) for row in rows if not row["without_room"]]
    return {
        "clusters": sum(clusters for _, clusters in real),
        "clustered": sum(size * clusters for size, clusters in real),
        "largest": [size for size, clusters in real for _ in range(min(clusters, LARGEST))][:LARGEST],
        "without_room": sum(row["size"] for row in rows if row["without_room"]),
    }


def judge(batches: Batches, shard: ShardTask, config: DedupDocumentsConfig) -> Batches:
    """Writes each document's cluster (its own id where it is alone), and removes those that have a survivor."""
    assert shard.beside is not None
    rows = shard.beside.to_pylist()
    known = {row["id"]: row for row in rows if row["cluster"] is not None}
    crowded = {row["id"]: float(row["without_room"]) for row in rows if row["without_room"]}
    for batch in batches:
        verdicts: list[Verdict | None] = []
        names = []
        ids = batch.column("id").to_pylist()
        for name in ids:
            row = known.get(name)
            names.append(row["cluster"] if row else name)
            gone = row is not None and row["survivor"] is not None
            verdicts.append(
                Verdict(RULE, row["likeness"], config.threshold, f"near to {row['survivor']}") if row and gone else None
            )
        batch = set_column(with_verdicts(batch, verdicts), "cluster", pa.array(names, pa.string()))
        if not crowded.keys().isdisjoint(ids):
            measures = [
                [*(own or []), (WITHOUT_ROOM, crowded[name])] if name in crowded else own
                for name, own in zip(ids, batch.column("measures").to_pylist(), strict=True)
            ]
            batch = set_column(batch, "measures", pa.array(measures, SCHEMA.field("measures").type))
        yield batch
