"""The same documents and shards come out whatever the work was cut into: partitions, adaptive execution, sessions."""

from __future__ import annotations

from pathlib import Path

from pyspark.sql import SparkSession

from core.run import Run
from datapipe.job import chain, run_stages
from tests.line import Line, data_config, digests


def test_partitions_and_adaptive_execution_change_nothing(line: Line, spark: SparkSession, tmp_path: Path) -> None:
    run = Run(str(tmp_path / "run"))
    config = data_config(line.config, run, line.corpus)
    assert config.spark.adaptive and config.spark.partitions == 3, "what the line ran with"
    wanted = {"spark.sql.shuffle.partitions": "7", "spark.sql.adaptive.enabled": "false"}
    before = {name: str(spark.conf.get(name)) for name in wanted}
    try:
        for name, value in wanted.items():
            spark.conf.set(name, value)
        run_stages(chain("extract", "encode", config), config, run, lambda: spark)
    finally:
        for name, value in before.items():
            spark.conf.set(name, value)
    found, first = digests(run), digests(Run(str(line.run)))
    assert found == {name: first[name] for name in found}
    assert len(found) >= 8
