"""Stages over shards on Spark: conservation, sub-steps beside their shard, resume."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import functions as F

from core import storage
from datapipe.config import DataConfig, ExtractConfig
from datapipe.document import Document, Verdict, to_batch, with_verdicts
from datapipe.shards import read_kept, shard_facts, shard_name, write_shard
from datapipe.work import Batches, ShardTask

SETTINGS = DataConfig(extract=ExtractConfig(shards=3))
DOCUMENTS = [Document("s.jsonl", str(n), "Book", f"text {n}", "en") for n in range(40)]
KEYS = pa.schema([("shard", pa.int32()), ("id", pa.string()), ("length", pa.int64())])


def drop_even(batches: Batches, shard: ShardTask) -> Batches:
    for batch in batches:
        keys = batch.column("key").to_pylist()
        yield with_verdicts(batch, [Verdict("test.even", float(key), 0.0) if int(key) % 2 == 0 else None for key in keys])


def lose_one(batches: Batches, shard: ShardTask) -> Batches:
    for batch in batches:
        yield batch.slice(1)


def lengths(batches: Batches, shard: ShardTask) -> Batches:
    for batch in batches:
        ids, texts = batch.column("id"), batch.column("text").to_pylist()
        yield pa.RecordBatch.from_arrays(
            [pa.array([shard.index] * len(ids), pa.int32()), ids, pa.array([len(t) for t in texts])], schema=KEYS
        )


def drop_those_beside(batches: Batches, shard: ShardTask) -> Batches:
    assert shard.beside is not None
    named = set(shard.beside.column("id").to_pylist())
    for batch in batches:
        yield with_verdicts(batch, [Verdict("test.beside") if i in named else None for i in batch.column("id").to_pylist()])


def test_every_document_is_kept_or_on_the_ledger(make_work: Any) -> None:
    work = make_work("clean", DOCUMENTS, SETTINGS)
    facts = work.judge(drop_even)
    assert (facts["in"], facts["kept"], facts["removed"]) == (40, 20, 20)
    assert facts["by_rule"] == {"test.even": {"Book": 20}}
    assert work.kept("id", "bytes").count() == 40


def test_a_stage_that_loses_a_document_is_stopped(make_work: Any) -> None:
    with pytest.raises(Exception, match="the stage gave back other rows"):
        make_work("clean", DOCUMENTS, SETTINGS).judge(lose_one)


def test_rows_of_a_sub_step_come_back_beside_their_own_shard(make_work: Any) -> None:
    work = make_work("clean", DOCUMENTS, SETTINGS)
    long = work.emit("lengths", lengths, KEYS).where(F.col("length") > 6).select("shard", "id")
    work.commit("long", long)
    facts = work.judge(drop_those_beside, beside="long")
    assert facts["removed"] == 30


def test_a_rerun_repeats_only_the_missing_shard_and_ends_with_the_same_digest(make_work: Any) -> None:
    work = make_work("clean", DOCUMENTS, SETTINGS)
    first = work.judge(drop_even)
    infos = storage.listing(work.directory.path("shards"))
    Path(infos[1].uri).unlink()
    assert work.judge(drop_even) == first
    versions = {info.uri: info.version for info in storage.listing(work.directory.path("shards"))}
    assert [versions[info.uri] == info.version for info in infos] == [True, False, True]


def test_documents_find_their_shards_sorted_by_id(make_work: Any, tmp_path: Path) -> None:
    work = make_work("extract", [], SETTINGS)
    work._documents = None
    parts = []
    for n in range(4):
        parts.append(str(tmp_path / f"part{n}.parquet"))
        pq.write_table(pa.Table.from_batches([to_batch(DOCUMENTS[n * 10 : n * 10 + 10])]), parts[-1])
    facts = work.distribute(parts)
    assert facts["in"] == 40
    seen: list[str] = []
    for info in storage.listing(work.directory.path("shards")):
        ids = [i for batch in read_kept(info.uri) for i in batch.column("id").to_pylist()]
        assert ids == sorted(ids) and shard_facts(info.uri)["in"] == len(ids)
        seen.extend(ids)
    assert sorted(seen) == sorted(d.id for d in DOCUMENTS)


def test_a_document_lost_between_its_file_and_its_shard_is_noticed(make_work: Any, tmp_path: Path) -> None:
    work = make_work("extract", [], SETTINGS)
    work._documents = None
    part = str(tmp_path / "part.parquet")
    pq.write_table(pa.Table.from_batches([to_batch(DOCUMENTS)]), part)
    write_shard(work.directory.path("shards", shard_name(1)), [])  # as if its documents had never come
    with pytest.raises(RuntimeError, match="40 documents were read, but"):
        work.distribute([part])


def test_a_table_killed_on_the_way_is_made_again_whole_and_a_whole_one_is_only_read(make_work: Any) -> None:
    work = make_work("clean", DOCUMENTS, SETTINGS)
    all_of_them = work.emit("lengths", lengths, KEYS).select("shard", "id")
    assert work.commit("ids", all_of_them).count() == 40
    files = storage.listing(work.directory.path("ids"))
    assert sorted(info.uri.split("/")[-2] for info in files if info.size) == ["shard=0", "shard=1", "shard=2"]
    assert work.commit("ids", all_of_them.limit(0)).count() == 40
    storage.remove(work.directory.path("ids", "_SUCCESS"))
    Path(files[-1].uri).unlink()
    assert work.commit("ids", all_of_them).count() == 40
