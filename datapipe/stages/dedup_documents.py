"""Near-duplicate documents: of each group of copies one survivor stays (Broder 1997; every edge verified, as in Dolma 3).

What is shuffled are bands, ranks and a byte of each minimum; then the shingle hashes of documents that met, each once for
each leader that it met. Text is read once, to sign it, and once more to write it out.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from core import storage
from datapipe.config import DedupDocumentsConfig
from datapipe.dedup.components import clusters
from datapipe.dedup.index import NEW, SIGNATURES, Index, earlier, places, write_header
from datapipe.dedup.meet import Meeting, Reach
from datapipe.dedup.minhash import MinHash
from datapipe.dedup.rank import SIZE, binary, matrix, ranks
from datapipe.dedup.shingles import shingle_sets
from datapipe.dedup.units import portions
from datapipe.dedup.verify import EDGES, verify
from datapipe.document import Verdict, set_column, with_verdicts
from datapipe.shards import shard_name, write_table
from datapipe.work import Batches, ShardTask, Work, spark_uri

RULE = "dedup_documents.near_duplicate"
SETS = pa.schema([("leader", pa.binary()), ("member", pa.binary()), ("shingles", pa.binary())])


def dedup_documents(work: Work) -> dict[str, Any]:
    """Writes the cluster of every document, and removes those that are near to a survivor of theirs."""
    config: DedupDocumentsConfig = work.config
    indexes = earlier(config)
    signatures = work.emit("signatures", partial(sign, config=config), SIGNATURES)
    write_header(work.directory.path(), config, work.shards)
    met = meet_in_bands(with_earlier(work, signatures, indexes), config)
    needed = work.commit("needed", located(met, work.shards, indexes))
    edges = work.commit("edges", by_shard(verified(work, indexes, config), work.shards, *map(F.col, EDGES.names)))
    decided, facts = decide(edges, config)
    work.commit("clusters", named(work.session.createDataFrame(decided), work.shards))
    return {
        **work.judge(partial(judge, config=config), beside="clusters"),
        "near_duplicates": {**facts, "without_room": needed.where("without_room").count()},
    }


def family(config: DedupDocumentsConfig) -> MinHash:
    return MinHash(config.permutations, config.bands, config.rows, config.scheme, config.seed)


def sign(batches: Batches, shard: ShardTask, config: DedupDocumentsConfig) -> Iterator[pa.RecordBatch]:
    """Rank, signature and shingle hashes of each document."""
    for batch in batches:
        texts: list[str] = batch.column("text").to_pylist()
        ids, quality, dates = (batch.column(name).to_pylist() for name in ("id", "quality", "date"))
        for part in portions(texts):
            sets = shingle_sets(texts[part], config.words, config.characters)
            signed = family(config).sign(sets)
            offsets = pa.array((sets.offsets * 4).astype(np.int32))
            hashes = pa.Array.from_buffers(
                pa.binary(), len(sets), [None, offsets.buffers()[1], pa.py_buffer(sets.hashes.tobytes())]
            )
            lengths = [len(text) for text in texts[part]]
            columns = [
                pa.array(ids[part]),
                pa.array(np.full(len(sets), shard.index, np.int32)),
                ranks(ids[part], quality[part], lengths, dates[part]),
                binary(signed.astype("<u4").view(np.uint8)),
                hashes,
            ]
            yield pa.RecordBatch.from_arrays(columns, schema=SIGNATURES)


def with_earlier(work: Work, signatures: DataFrame, indexes: list[Index]) -> DataFrame:
    """(rank, signature) of this run's documents and of those that earlier runs kept."""
    everything = signatures.select("rank", "signature")
    for index in indexes:
        theirs = work.session.read.parquet(spark_uri(index.signatures))
        clustered = work.session.read.schema("id string, survivor string").parquet(spark_uri(index.clusters))
        removed = clustered.where("survivor is not null").select("id")
        era = F.concat(F.lit(bytes([index.era])), F.expr(f"substring(rank, 2, {SIZE - 1})"))
        kept = theirs.join(removed, "id", "left_anti")
        everything = everything.unionByName(kept.select(era.alias("rank"), "signature"))
    return everything


def meet_in_bands(signatures: DataFrame, config: DedupDocumentsConfig) -> DataFrame:
    """(rank, leader): which document must be compared with which leader. A leader stands with itself, and a document that
    found no room among the leaders of a bucket has a row without leader."""
    banded = signatures.mapInArrow(partial(bands, config=config), "band long, rank binary, short binary")
    ordered = banded.repartition("band").sortWithinPartitions("band", "rank")
    return ordered.mapInArrow(partial(meet, config=config), "rank binary, leader binary")


def bands(batches: Iterator[pa.RecordBatch], config: DedupDocumentsConfig) -> Iterator[pa.RecordBatch]:
    """A row for each band of each document: its key, the document's rank, and the low byte of each minimum."""
    for batch in batches:
        signed = matrix(batch.column("signature"), 4 * config.permutations).view("<u4")
        filled = np.flatnonzero((signed != 0xFFFFFFFF).any(axis=1))  # a document without a word is nobody's copy
        keys = family(config).band_hashes(signed[filled].astype(np.uint32))
        owner = pa.array(np.repeat(filled, config.bands))
        short = binary(signed.astype(np.uint8))
        columns = [pa.array(keys.reshape(-1)), batch.column("rank").take(owner), short.take(owner)]
        yield pa.RecordBatch.from_arrays(columns, names=["band", "rank", "short"])


def meet(batches: Iterator[pa.RecordBatch], config: DedupDocumentsConfig) -> Iterator[pa.RecordBatch]:
    """The pairs of each bucket, from rows sorted by (band, rank). Two documents of earlier runs are not paired again."""
    meeting = Meeting(Reach.of(config.threshold, config.permutations, config.leaders))
    for batch in batches:
        keys = batch.column("band").to_numpy(zero_copy_only=False)
        short = matrix(batch.column("short"), config.permutations)
        found = meeting.batch(keys, matrix(batch.column("rank"), SIZE), short)
        fresh = found.member[:, 0] == NEW
        leader, member = found.leader[fresh], found.member[fresh]
        itself = np.unique(leader, axis=0)
        rank = binary(np.concatenate([member, itself, found.overflow]))
        alone = pa.nulls(len(found.overflow), pa.binary())
        leaders = pa.concat_arrays([binary(np.concatenate([leader, itself])), alone])
        yield pa.RecordBatch.from_arrays([rank, leaders], names=["rank", "leader"])


def located(met: DataFrame, shards: int, indexes: list[Index]) -> DataFrame:
    """A row for each document that met another: its signature file's place (as `shard`), and the leaders it must meet."""
    base, place = shards, _shard(F.col("rank"), shards)
    for index in indexes:
        theirs = _shard(F.col("rank"), index.shards) + base
        place = F.when(F.col("rank").substr(1, 1) == F.lit(bytes([index.era])), theirs).otherwise(place)
        base += index.shards
    grouped = met.groupBy("rank").agg(
        F.sort_array(F.collect_set("leader")).alias("leaders"), F.max(F.col("leader").isNull()).alias("without_room")
    )
    at = place.cast("int").alias("shard")
    return grouped.select(at, _identity(F.col("rank")).alias("id"), "rank", "leaders", "without_room")


def _shard(rank: Column, shards: int) -> Column:
    return F.conv(F.hex(rank.substr(14, 4)), 16, 10).cast("long") % shards


def _identity(rank: Column) -> Column:
    return F.lower(F.hex(rank.substr(14, 16)))


def verified(work: Work, indexes: list[Index], config: DedupDocumentsConfig) -> DataFrame:
    """(leader, member, likeness) of each pair whose true Jaccard reaches the threshold."""
    files = places(work.directory.path("signatures"), work.shards, indexes)
    done = {info.uri.rsplit("/", 1)[-1] for info in storage.listing(work.directory.path("sets"))}
    missing = [(place, file) for place, file in enumerate(files) if shard_name(place) not in done]
    task = partial(_write_sets, needed=work.directory.path("needed"), target=work.directory.path("sets"))
    work.each(missing, task, f"{work.directory.name}: sets")
    sets = work.session.read.parquet(spark_uri(work.directory.path("sets")))
    ordered = sets.repartition("leader").sortWithinPartitions("leader", "member")
    return ordered.mapInArrow(partial(verify, threshold=config.threshold), "leader binary, member binary, likeness double")


def _write_sets(entry: tuple[int, str], needed: str, target: str) -> None:
    """Picks the shingle hashes of the documents that met out of one signature file: (leader, member, shingles)."""
    place, file = entry
    wanted: dict[str, tuple[bytes, list[bytes]]] = {}
    for info in storage.listing(storage.join(needed, f"shard={place}")):
        if info.uri.endswith(".parquet"):
            with storage.open_uri(info.uri) as handle:
                table = pq.ParquetFile(handle).read(["id", "rank", "leaders"])
                for row in table.to_pylist():
                    wanted[row["id"]] = (row["rank"], row["leaders"])
    write_table(storage.join(target, shard_name(place)), SETS, _sets(file, wanted))


def _sets(file: str, wanted: dict[str, tuple[bytes, list[bytes]]]) -> Iterator[pa.RecordBatch]:
    if not wanted:
        return
    with storage.open_uri(file) as handle:
        for batch in pq.ParquetFile(handle).iter_batches(1000, columns=["id", "shingles"]):
            rows, leaders, members = [], [], []
            for row, name in enumerate(batch.column("id").to_pylist()):
                if name in wanted:
                    rank, own = wanted[name]
                    rows += [row] * len(own)
                    leaders += own
                    members += [rank] * len(own)
            if rows:
                columns = [pa.array(leaders), pa.array(members), batch.column("shingles").take(pa.array(rows))]
                yield pa.RecordBatch.from_arrays(columns, schema=SETS)


def by_shard(frame: DataFrame, shards: int, *columns: Column) -> DataFrame:
    """The columns with the shard and id of their member, as sub-steps are stored."""
    member = F.col("member")
    return frame.select(_shard(member, shards).cast("int").alias("shard"), _identity(member).alias("id"), *columns)


def decide(edges: DataFrame, config: DedupDocumentsConfig) -> tuple[pa.Table, dict[str, Any]]:
    """Clusters and survivors, on the driver: (member, cluster, survivor, likeness) of every new document with an edge,
    each by its rank; survivor and likeness are null where the document stays.

    Raises RuntimeError above `driver_edges`: an edge takes about 100 bytes here.
    """
    count = edges.count()
    if count > config.driver_edges:
        raise RuntimeError(
            f"dedup_documents: {count:,} verified edges are more than dedup_documents.driver_edges = {config.driver_edges:,}; "
            f"raise it if the driver has about 100 bytes of memory for each, or deduplicate by snapshot with `against`."
        )
    table = edges.select(*EDGES.names).toArrow().combine_chunks()
    first, second = (pc.cast(table.column(name), pa.binary()).combine_chunks() for name in ("leader", "member"))
    nodes = pc.unique(pa.concat_arrays([first, second]))
    nodes = nodes.take(pc.sort_indices(nodes))
    codes = [pc.index_in(column, nodes).to_numpy(zero_copy_only=False).astype(np.int64) for column in (first, second)]
    found = clusters(len(nodes), codes[0], codes[1], table.column("likeness").to_numpy())
    gone = found.survivor >= 0
    new = np.flatnonzero(matrix(nodes, SIZE)[:, 0] == NEW)
    columns = {
        "member": nodes.take(pa.array(new)),
        "cluster": nodes.take(pa.array(found.cluster[new])),
        "survivor": nodes.take(pa.array(found.survivor[new], mask=~gone[new])),
        "likeness": pa.array(found.likeness[new], mask=~gone[new]),
    }
    sizes = np.sort(np.unique(found.cluster, return_counts=True)[1])[::-1]
    facts = {"edges": count, "clusters": len(sizes), "clustered": len(nodes), "largest": sizes[:20].tolist()}
    return pa.table(columns), facts


def named(decided: DataFrame, shards: int) -> DataFrame:
    """The decisions with ids in place of ranks, and the shard of each document."""
    names = [_identity(F.col(name)).alias(name) for name in ("cluster", "survivor")]
    return by_shard(decided, shards, *names, F.col("likeness"))


def judge(batches: Batches, shard: ShardTask, config: DedupDocumentsConfig) -> Batches:
    """Writes each document's cluster (its own id where it is alone), and removes those that have a survivor."""
    assert shard.beside is not None
    known = {row["id"]: row for row in shard.beside.to_pylist()}
    for batch in batches:
        verdicts: list[Verdict | None] = []
        names = []
        for name in batch.column("id").to_pylist():
            row = known.get(name)
            names.append(row["cluster"] if row else name)
            gone = row is not None and row["survivor"] is not None
            verdicts.append(
                Verdict(RULE, row["likeness"], config.threshold, f"near to {row['survivor']}") if row and gone else None
            )
        yield set_column(with_verdicts(batch, verdicts), "cluster", pa.array(names, pa.string()))
