"""One stage of the data line on documents given in memory, for benchmarks: written as shards, judged, read back."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, TypeVar

import pyarrow.parquet as pq

from core.run import Run, StageDirectory
from datapipe.config import DataConfig
from datapipe.document import Document, shard_of, to_batch
from datapipe.launch import environment
from datapipe.shards import Tally, shard_facts, shard_name, write_shard
from datapipe.work import Work

W = TypeVar("W", bound=Work)


def prepare(root: str, name: str, documents: Iterable[Document], settings: DataConfig) -> Work:
    """The stage `name` of a run at `root`, with these documents as what the stage before it kept."""
    run = Run(root)
    before = run.stage(f"before_{name}")
    parts: list[list[Document]] = [[] for _ in range(settings.extract.shards)]
    for document in documents:
        parts[shard_of(document.id, len(parts))].append(document)
    tally = Tally()
    for index, own in enumerate(parts):
        uri = before.path("shards", shard_name(index))
        write_shard(uri, [to_batch(sorted(own, key=lambda document: document.id))] if own else [])
        tally.merge(shard_facts(uri))
    before.commit("given", tally.facts(), 0.0)
    return open_work(run, name, before, settings, Work)


def open_work(run: Run, name: str, before: StageDirectory, settings: DataConfig, kind: type[W]) -> W:
    """The stage `name` of a run in a session of its own, on what the stage `before` kept."""
    os.environ.update(environment(settings.spark))
    os.environ["PYSPARK_SUBMIT_ARGS"] = f"--driver-memory {settings.spark.driver_memory} pyspark-shell"
    from datapipe.spark import open_session

    directory = run.stage(name)
    directory.begin("benchmark")
    return kind(open_session(settings.spark, name), settings, directory, {"documents": before})


def rows(work: Work, *columns: str) -> list[dict[str, Any]]:
    """These columns of every document that the stage wrote."""
    found: list[dict[str, Any]] = []
    for index in range(work.shards):
        found += pq.read_table(work.directory.path("shards", shard_name(index)), columns=list(columns)).to_pylist()
    return found
