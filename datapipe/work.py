"""What a stage is given: its documents, its settings, its folder, and the few ways to run Python over shards on Spark.

Text never leaves its shard: one Spark task reads shard i of the stage before, streams it through a function over Arrow
batches and writes shard i of this stage. What must meet across shards (keys, hashes, counts) is emitted as a small table,
shuffled as a DataFrame, and comes back beside the shard that it concerns. Each shard and each such table is committed by
itself, so a rerun after a kill repeats only what is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import to_arrow_schema

from core import storage
from core.run import StageDirectory
from datapipe.config import DataConfig
from datapipe.document import SCHEMA
from datapipe.shards import Tally, read_kept, shard_facts, shard_name, write_shard, write_table
from datapipe.spark import watched
from datapipe.tables import Batches, read_file, read_tables, write_by_shard

R = TypeVar("R")

_WHOLE = "_SUCCESS"  # written after the last file of a table; Spark passes over names that begin so
_FOOTERS = 32


@dataclass(frozen=True)
class ShardTask:
    """The shard that a function works on: its index, the number of shards, and the rows of a sub-step that concern it
    (sorted by id; empty where there are none; None where the stage named no sub-step)."""

    index: int
    of: int
    beside: pa.Table | None = None


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
        self._committed: dict[str, pa.Schema] = {}

    @property
    def config(self) -> Any:
        """The stage's own section."""
        return getattr(self.settings, self.directory.name)

    def table(self, uri: str, schema: pa.Schema) -> DataFrame:
        """A table that a stage of this or of an earlier run stored: all Parquet files below a folder, in these columns."""
        return read_tables(self.session, [uri], schema)

    def kept(self, *columns: str) -> DataFrame:
        """The kept documents of the stage before as a DataFrame of some columns; `bytes` is the UTF-8 size of the text."""
        needed = dict.fromkeys(["text" if name == "bytes" else name for name in columns] + ["verdict"])
        frame = self.table(self._input_uri("shards"), pa.schema([SCHEMA.field(name) for name in needed]))
        chosen = [F.octet_length("text").alias("bytes") if name == "bytes" else F.col(name) for name in columns]
        return frame.where(F.col("verdict").isNull()).select(*chosen)

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
        return self._tally()

    def emit(self, name: str, function: ShardFunction, schema: pa.Schema) -> DataFrame:
        """Runs a function over each shard's kept documents and commits the small table it gives, by shard."""
        task = partial(
            _emit_shard, source=self._input_uri("shards"), target=self.directory.path(name), of=self.shards,
            function=function, schema=schema,
        )  # fmt: skip
        self.each_shard(name, task)
        return self.table(self.directory.path(name), schema)

    def commit(self, name: str, frame: DataFrame) -> DataFrame:
        """Stores a DataFrame with the columns `shard` and `id` by shard, once, and returns what is stored; a rerun reads what
        is there if all of it is. A shard that has rows is one file, `shard=N/rows.parquet`, sorted by id."""
        uri, done = self.directory.path(name), self.directory.path(name, _WHOLE)
        schema = to_arrow_schema(frame.schema)
        self._committed[name] = schema.remove(schema.get_field_index("shard"))
        if not storage.exists(done):
            with watched(self.session, f"{self.directory.name}: {name}"):
                write_by_shard(frame.repartition(F.col("shard")), partial(_write_rows, target=uri, schema=schema))
            storage.write_text(done, "")
        return self.table(uri, schema)

    def each_shard(self, name: str, task: Callable[[int], R]) -> list[R]:
        """Runs a task for each shard that is missing below `name`, largest first, and returns what they returned."""
        missing = self._missing(name)
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
        """Sends the documents in these Parquet files to their shards: the one time that text is shuffled.

        Raises RuntimeError if a document was lost or doubled on the way.
        """
        missing = self._missing("shards")
        if missing and parts:
            frame = read_tables(self.session, parts, SCHEMA)
            routed = frame.withColumn("shard", (F.conv(F.substring("id", 1, 8), 16, 10).cast("long") % self.shards).cast("int"))
            if len(missing) < self.shards:
                routed = routed.where(F.col("shard").isin(missing))
            write = partial(_write_documents, target=self.directory.path("shards"))
            with watched(self.session, f"{self.directory.name}: shards"):
                written = set(write_by_shard(routed.repartitionById(self.shards, "shard"), write))
            missing = [index for index in missing if index not in written]
        for index in missing:
            write_shard(self.directory.path("shards", shard_name(index)), [])
        facts = self._tally()
        came_in = read_tables(self.session, parts, pa.schema([SCHEMA.field("id")])).count()
        if came_in != facts["in"]:
            raise RuntimeError(f"{self.directory.name}: {came_in} documents were read, but {facts['in']} are in its shards.")
        return facts

    def _tally(self) -> dict[str, Any]:
        """The facts of all shards that this stage wrote; whoever runs the stage checks them against the stage before."""
        infos = storage.listing(self.directory.path("shards"))
        if len(infos) != self.shards:
            raise RuntimeError(f"{self.directory.name}: {len(infos)} shards were written instead of {self.shards}.")
        tally = Tally()
        with ThreadPoolExecutor(_FOOTERS) as pool:  # where a footer is a request, they are asked for together
            for start in range(0, len(infos), _FOOTERS):
                for found in pool.map(shard_facts, [info.uri for info in infos[start : start + _FOOTERS]]):
                    tally.merge(found)
        return tally.facts()

    def _missing(self, name: str) -> list[int]:
        done = {info.uri.rsplit("/", 1)[-1] for info in storage.listing(self.directory.path(name))}
        return [index for index in range(self.shards) if shard_name(index) not in done]

    def _input_uri(self, name: str) -> str:
        assert self._documents is not None, f"{self.directory.name} reads no stage"
        return self._documents.path(name)

    def _input_sizes(self) -> dict[str, int]:
        if self._documents is None:
            return {}
        return {info.uri.rsplit("/", 1)[-1]: info.size for info in storage.listing(self._input_uri("shards"))}

    def _beside(self, name: str | None) -> tuple[str, pa.Schema] | None:
        return None if name is None else (self.directory.path(name), self._committed[name])


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

    task = ShardTask(index, of, None if beside is None else read_beside(beside[0], beside[1], index))
    write_shard(storage.join(target, shard_name(index)), checked(function(noted(), task)))


def _emit_shard(index: int, source: str, target: str, of: int, function: ShardFunction, schema: pa.Schema) -> None:
    batches = function(read_kept(storage.join(source, shard_name(index))), ShardTask(index, of))
    write_table(storage.join(target, shard_name(index)), schema, batches)


def read_beside(uri: str, schema: pa.Schema, index: int) -> pa.Table:
    """The rows that a committed sub-step holds for a shard, sorted by id."""
    file = _rows_uri(uri, index)
    return pa.Table.from_batches(read_file(file, schema) if storage.exists(file) else [], schema)


def _write_rows(shard: int, batches: Batches, target: str, schema: pa.Schema) -> None:
    write_table(_rows_uri(target, shard), schema, (batch.select(schema.names).cast(schema) for batch in batches))


def _rows_uri(table: str, shard: int) -> str:
    return storage.join(table, f"shard={shard}", "rows.parquet")


def _write_documents(shard: int, batches: Batches, target: str) -> None:
    """Writes rows as they come out of Spark, in the form of `SCHEMA`."""
    write_shard(storage.join(target, shard_name(shard)), (batch.select(SCHEMA.names).cast(SCHEMA) for batch in batches))
