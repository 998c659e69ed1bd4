"""Parquet between storage and Spark: files become DataFrames, and DataFrames become files, one a shard, each whole or absent.

Writing goes through Python tasks: Spark's own committer puts files in their place by renaming, which an object store does
not have. Reading is Spark's own where Hadoop has the file system (local disks, HDFS); what lies in an object store is read
with Arrow by the tasks, so that it needs neither jars nor a second set of credentials.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import from_arrow_schema

from core import storage

Batches = Iterator[pa.RecordBatch]
Write = Callable[[int, Batches], object]
"""Writes the rows of one shard."""

_TASK_BYTES = 128 << 20  # as stored; small files are read together, as Spark does with its own


def read_tables(session: SparkSession, uris: Sequence[str], schema: pa.Schema) -> DataFrame:
    """The rows of Parquet files (or of all those below folders), in the columns of the schema."""
    form = from_arrow_schema(schema)
    if not any(map(storage.is_object_store, uris)):
        return session.read.schema(form).parquet(*uris) if uris else session.createDataFrame([], form)
    files = [info for uri in uris for info in storage.listing(uri) if info.uri.endswith(".parquet")]
    groups = together(files)
    read = partial(_read_groups, groups=groups, schema=schema)
    return session.range(0, len(groups), 1, max(1, len(groups))).mapInArrow(read, form)


def together(files: Sequence[storage.FileInfo], most: int = _TASK_BYTES) -> list[list[str]]:
    """Groups of files that one task reads, in their order: together at most that many bytes, or one larger file."""
    groups: list[list[str]] = []
    size = 0
    for info in files:
        if not groups or size + info.size > most:
            groups.append([])
            size = 0
        groups[-1].append(info.uri)
        size += info.size
    return groups


def _read_groups(batches: Batches, groups: list[list[str]], schema: pa.Schema) -> Batches:
    for batch in batches:
        for index in batch.column("id").to_pylist():
            for uri in groups[index]:
                yield from read_file(uri, schema)


def read_file(uri: str, schema: pa.Schema) -> Batches:
    """The rows of one Parquet file in these columns and types."""
    with storage.open_uri(uri) as handle:
        for batch in pq.ParquetFile(handle).iter_batches(columns=schema.names):
            yield from pa.Table.from_batches([batch]).select(schema.names).cast(schema).to_batches()


def write_by_shard(frame: DataFrame, write: Write) -> list[int]:
    """Hands the rows of each shard, sorted by id, to a function in a task; returns the shards that had any.

    `frame` has the columns `shard` and `id`, and all rows of a shard in one partition.
    """
    ordered = frame.sortWithinPartitions("shard", "id")
    return [row.shard for row in ordered.mapInArrow(partial(_write_runs, write=write), "shard int").collect()]


def _write_runs(batches: Batches, write: Write) -> Batches:
    """Writes rows that arrive sorted by shard; gives back the shards written."""
    stream = _runs(batches)
    current = next(stream, None)
    written = []
    while current is not None:
        shard = current[0]
        waiting: list[tuple[int, pa.RecordBatch] | None] = [current]

        def rows(shard: int = shard, waiting: list[tuple[int, pa.RecordBatch] | None] = waiting) -> Batches:
            while waiting[0] is not None and waiting[0][0] == shard:
                yield waiting[0][1]
                waiting[0] = next(stream, None)

        write(shard, rows())
        written.append(shard)
        current = waiting[0]
    yield pa.RecordBatch.from_pydict({"shard": pa.array(written, pa.int32())})


def _runs(batches: Batches) -> Iterator[tuple[int, pa.RecordBatch]]:
    """The same rows cut where the shard changes."""
    for batch in batches:
        shards = batch.column("shard").to_numpy(zero_copy_only=False)
        edges = [0, *(np.flatnonzero(np.diff(shards)) + 1).tolist(), len(shards)]
        for start, end in zip(edges, edges[1:], strict=False):
            if end > start:
                yield int(shards[start]), batch.slice(start, end - start)
