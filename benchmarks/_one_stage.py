"""One stage of the data line on documents given in memory, for benchmarks: written as shards, judged, read back."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import pyarrow.parquet as pq

from core.run import Run
from datapipe.config import DataConfig
from datapipe.document import Document, shard_of, to_batch
from datapipe.launch import environment
from datapipe.shards import Tally, shard_facts, shard_name, write_shard
from datapipe.work import Work


def prepare(root: str, name: str, documents: Iterable[Document], settings: DataConfig) -> Work:
    """The stage `name` of a run at `root`, with these documents as what the stage before it kept."""
    os.environ.update(environment(settings.spark))
    os.environ.setdefault("PYSPARK_SUBMIT_ARGS", f"--driver-memory {settings.spark.driver_memory} pyspark-shell")
    from datapipe.spark import open_session

    run = Run(root)
    before, directory = run.stage(f"before_{name}"), run.stage(name)
    parts: list[list[Document]] = [[] for _ in range(settings.extract.shards)]
    for document in documents:
        parts[shard_of(document.id, len(parts))].append(document)
    tally = Tally()
    for index, own in enumerate(parts):
        uri = before.path("shards", shard_name(index))
        write_shard(uri, [to_batch(sorted(own, key=lambda document: document.id))] if own else [])
        tally.merge(shard_facts(uri))
    before.commit("given", tally.facts(), 0.0)
    directory.begin("benchmark")
    return Work(open_session(settings.spark, name), settings, directory, {"documents": before})


def rows(work: Work, *columns: str) -> list[dict[str, Any]]:
    """These columns of every document that the stage wrote."""
    found: list[dict[str, Any]] = []
    for index in range(work.shards):
        found += pq.read_table(work.directory.path("shards", shard_name(index)), columns=list(columns)).to_pylist()
    return found
