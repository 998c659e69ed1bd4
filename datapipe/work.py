"""What a stage is given: its documents, its settings, its folder, and the few ways to run Python over shards on Spark.

Text never leaves its shard: one Spark task reads shard i of the stage before, streams it through a function over Arrow
batches and writes shard i of this stage. What must meet across shards (keys, hashes, counts) is emitted as a small table,
shuffled as a DataFrame, and comes back beside the shard that it concerns. Each shard and each such table is committed by
itself, so a rerun after a kill repeats only what is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import StructType

from core import storage
from core.run import StageDirectory
from datapipe.config import DataConfig
from datapipe.document import SCHEMA
from datapipe.shards import Tally, read_kept, shard_facts, shard_name, write_shard, write_table
from datapipe.spark import watched

R = TypeVar("R")


@dataclass(frozen=True)
class ShardTask:
    """The shard that a function works on: its index, the number of shards, and the rows of a sub-step that concern it
    (sorted by id; empty where there are none; None where the stage named no sub-step)."""

    index: int
    of: int
    beside: pa.Table | None = None


Batches = Iterator[pa.RecordBatch]
ShardFunction = Callable[[Batches, ShardTask], Batches]


class Work:
    """One stage at work."""

    def __init__(
        self,
        session: SparkSession,
        settings: DataConfig,
        directory: StageDirectory,
        inputs: dict[str, StageDirectory],
    ) -> None:
        self.session = session
        self.settings = settings
        self.directory = directory
        self.inputs = inputs
        self.shards: int = settings.extract.shards
        self._documents = next(iter(inputs.values()), None)
        self._committed: dict[str, StructType] = {}

    @property
    def config(self) -> Any:
        """The stage's own section."""
        return getattr(self.settings, self.directory.name)

    def kept(self, *columns: str) -> DataFrame:
        """The kept documents of the stage before as a DataFrame of some columns; `bytes` is the UTF-8 size of the text."""
        frame = self.session.read.parquet(spark_uri(self._input_uri("shards"))).where(F.col("verdict").isNull())
        return frame.select(*[F.octet_length("text").alias("bytes") if name == "bytes" else F.col(name) for name in columns])

    def judge(self, function: ShardFunction, beside: str | None = None) -> dict[str, Any]:
        """Runs a function over each shard's kept documents and writes the stage's table; returns the stage's facts.

        The function gives back each row that it was given, in order, with a verdict where the document goes (and with
        edited text where it changes). Raises RuntimeError if a row was lost or invented.
        """
        task = partial(
            _judge_shard, source=self._input_uri("shards"), target=self.directory.path("shards"), of=self.shards,
            function=function, beside=self._beside(beside),
        )  # fmt: skip
        self.each_shard("shards", task)
        return self.tally()

    def emit(self, name: str, function: ShardFunction, schema: pa.Schema) -> DataFrame:
        """Runs a function over each shard's kept documents and commits the small table it gives, by shard."""
        task = partial(
            _emit_shard, source=self._input_uri("shards"), target=self.directory.path(name), of=self.shards,
            function=function, schema=schema,
        )  # fmt: skip
        self.each_shard(name, task)
        return self.session.read.parquet(spark_uri(self.directory.path(name)))

    def commit(self, name: str, frame: DataFrame) -> DataFrame:
        """Stores a DataFrame with the columns `shard` and `id` by shard, once; a rerun reads what is stored."""
        uri = self.directory.path(name)
        self._committed[name] = frame.schema  # a table without rows has no file to infer its schema from
        if not storage.exists(storage.join(uri, "_SUCCESS")):
            with watched(self.session, f"{self.directory.name}: {name}"):
                ordered = frame.repartition(F.col("shard")).sortWithinPartitions("shard", "id")
                ordered.write.mode("overwrite").partitionBy("shard").parquet(spark_uri(uri))
        return self.session.read.schema(frame.schema).parquet(spark_uri(uri))

    def each_shard(self, name: str, task: Callable[[int], R]) -> list[R]:
        """Runs a task for each shard that is missing below `name`, largest first, and returns what they returned."""
        done = {info.uri.rsplit("/", 1)[-1] for info in storage.listing(self.directory.path(name))}
        missing = [index for index in range(self.shards) if shard_name(index) not in done]
        if not missing:
            return []
        sizes = self._input_sizes()
        missing.sort(key=lambda index: (-sizes.get(shard_name(index), 0), index))
        label = self.directory.name if name == "shards" else f"{self.directory.name}: {name}"
        return self.each(missing, task, label)

    def each(self, items: Iterable[Any], task: Callable[[Any], R], label: str) -> list[R]:
        """Runs a task for each item, each in a Spark task of its own, and returns what they returned, in order."""
        entries = list(items)
        if not entries:
            return []
        with watched(self.session, label):
            return self.session.sparkContext.parallelize(entries, len(entries)).map(task).collect()

    def distribute(self, parts: list[str]) -> dict[str, Any]:
        """Sends the documents in these Parquet files to their shards: the one time that text is shuffled."""
        done = {info.uri.rsplit("/", 1)[-1] for info in storage.listing(self.directory.path("shards"))}
        missing = [index for index in range(self.shards) if shard_name(index) not in done]
        write = partial(_write_sorted, target=self.directory.path("shards"))
        if missing and parts:
            frame = self.session.read.parquet(*[spark_uri(part) for part in parts])
            shard = F.conv(F.substring("id", 1, 8), 16, 10).cast("long") % self.shards
            routed = frame.withColumn("shard", shard.cast("int")).where(F.col("shard").isin(missing))
            ordered = routed.repartition(min(len(missing), self.shards), "shard").sortWithinPartitions("shard", "id")
            with watched(self.session, f"{self.directory.name}: shards"):
                written = {row.shard for row in ordered.mapInArrow(write, "shard int").collect()}
            missing = [index for index in missing if index not in written]
        for index in missing:
            write_shard(self.directory.path("shards", shard_name(index)), [])
        return self.tally()

    def tally(self) -> dict[str, Any]:
        """The facts of all shards that this stage wrote. Raises RuntimeError unless kept + removed = in everywhere."""
        tally = Tally()
        infos = storage.listing(self.directory.path("shards"))
        for info in infos:
            tally.merge(shard_facts(info.uri))
        facts = tally.facts()
        if len(infos) != self.shards:
            raise RuntimeError(f"{self.directory.name}: {len(infos)} shards were written instead of {self.shards}.")
        for domain, counts in facts["by_domain"].items():
            if counts["kept"] + counts["removed"] != counts["in"]:
                raise RuntimeError(f"{self.directory.name}: {domain}: kept and removed do not add up to what came in.")
        before = self._documents.manifest() if self._documents is not None else None
        if before is not None and "kept" in before and before["kept"] != facts["in"]:
            name = self.directory.name
            raise RuntimeError(f"{name}: {facts['in']} documents came in, but the stage before kept {before['kept']}.")
        return facts

    def _input_uri(self, name: str) -> str:
        assert self._documents is not None, f"{self.directory.name} reads no stage"
        return self._documents.path(name)

    def _input_sizes(self) -> dict[str, int]:
        if self._documents is None:
            return {}
        return {info.uri.rsplit("/", 1)[-1]: info.size for info in storage.listing(self._input_uri("shards"))}

    def _beside(self, name: str | None) -> tuple[str, pa.Schema] | None:
        if name is None:
            return None
        columns = StructType([column for column in self._committed[name].fields if column.name != "shard"])
        return self.directory.path(name), to_arrow_schema(columns)


def spark_uri(uri: str) -> str:
    """The URI as Hadoop's file systems know it."""
    return "s3a://" + uri[len("s3://") :] if uri.startswith("s3://") else uri


def _judge_shard(
    index: int, source: str, target: str, of: int, function: ShardFunction, beside: tuple[str, pa.Schema] | None
) -> None:
    given: list[str] = []

    def noted() -> Batches:
        for batch in read_kept(storage.join(source, shard_name(index))):
            given.extend(batch.column("id").to_pylist())
            yield batch

    def checked(batches: Batches) -> Batches:
        back = 0
        for batch in batches:
            ids = batch.column("id").to_pylist()
            if ids != given[back : back + len(ids)]:
                raise RuntimeError(f"shard {index}: the stage gave back other rows than it was given, near row {back}.")
            back += len(ids)
            yield batch
        if back != len(given):
            raise RuntimeError(f"shard {index}: {len(given)} documents came in, {back} came out.")

    task = ShardTask(index, of, None if beside is None else _read_beside(beside[0], beside[1], index))
    write_shard(storage.join(target, shard_name(index)), checked(function(noted(), task)))


def _emit_shard(index: int, source: str, target: str, of: int, function: ShardFunction, schema: pa.Schema) -> None:
    batches = function(read_kept(storage.join(source, shard_name(index))), ShardTask(index, of))
    write_table(storage.join(target, shard_name(index)), schema, batches)


def _read_beside(uri: str, schema: pa.Schema, index: int) -> pa.Table:
    tables = []
    for info in storage.listing(storage.join(uri, f"shard={index}")):
        if info.uri.endswith(".parquet"):
            with storage.open_uri(info.uri) as handle:
                tables.append(pq.ParquetFile(handle).read().cast(schema))
    return pa.concat_tables(tables).sort_by("id") if tables else schema.empty_table()


def _write_sorted(batches: Iterator[pa.RecordBatch], target: str) -> Iterator[pa.RecordBatch]:
    """Writes rows that arrive sorted by (shard, id) to their shards; gives back the shards written."""
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

        write_shard(storage.join(target, shard_name(shard)), rows())
        written.append(shard)
        current = waiting[0]
    yield pa.RecordBatch.from_pydict({"shard": pa.array(written, pa.int32())})


def _runs(batches: Iterator[pa.RecordBatch]) -> Iterator[tuple[int, pa.RecordBatch]]:
    """The same rows cut where the shard changes, in the form of `SCHEMA`."""
    for batch in batches:
        shards = batch.column("shard")
        rows = pa.Table.from_batches([batch]).drop_columns("shard").select(SCHEMA.names).cast(SCHEMA).combine_chunks()
        start = 0
        while start < batch.num_rows:
            shard = shards[start].as_py()
            length = pc.sum(pc.equal(shards, shard)).as_py()
            yield from ((shard, part) for part in rows.slice(start, length).to_batches())
            start += length
