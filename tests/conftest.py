"""One Spark session for the whole test run: starting a JVM costs more than most tests."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from pyspark.sql import SparkSession

from core.run import Run
from datapipe.config import DataConfig, SparkConfig
from datapipe.document import Document, to_batch
from datapipe.launch import environment
from datapipe.shards import Tally, shard_facts, shard_name, write_shard
from datapipe.work import Work

settings.register_profile("project", deadline=None, derandomize=True)  # no verdict may depend on the machine's speed
settings.load_profile("project")


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    """The session that all tests share; they must not change its settings."""
    config = SparkConfig(master="local[2]", driver_memory="1g", partitions=3)
    os.environ.update(environment(config))
    os.environ["PYSPARK_SUBMIT_ARGS"] = "--driver-memory 1g pyspark-shell"
    from datapipe.spark import open_session

    session = open_session(config, "tests")
    yield session
    session.stop()


MakeWork = Callable[..., Work]


@pytest.fixture
def make_work(spark: SparkSession, tmp_path: Path) -> MakeWork:
    """`make_work("clean", documents, settings)`: a stage at work on documents written as the stage before it would."""

    def make(name: str, documents: list[Document], settings: DataConfig, **others: Path) -> Work:
        run = Run(str(tmp_path / "run"))
        before = run.stage(f"before_{name}")
        shards = settings.extract.shards
        tally = Tally()
        for index in range(shards):
            own = sorted((d for d in documents if int(d.id[:8], 16) % shards == index), key=lambda d: d.id)
            uri = before.path("shards", shard_name(index))
            write_shard(uri, [to_batch(own)] if own else [])
            tally.merge(shard_facts(uri))
        before.commit("given", tally.facts(), 0.0)
        directory = run.stage(name)
        directory.begin("test")
        inputs = {"documents": before}
        for other, path in others.items():
            inputs[other] = type(before)(str(path), other)
        return Work(spark, settings, directory, inputs)

    return make
