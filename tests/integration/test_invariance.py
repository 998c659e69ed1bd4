"""The same documents come out whatever the work was cut into: partitions, adaptive execution."""

from __future__ import annotations

from pathlib import Path

from pyspark.sql import SparkSession

from core.run import Run
from datapipe.job import chain, run_stages
from tests import made_corpus
from tests.line import data_config, digests


def test_partitions_and_adaptive_execution_change_nothing(spark: SparkSession, tmp_path: Path) -> None:
    corpus = made_corpus.write(tmp_path / "corpus", pages=16)
    path = made_corpus.write_config(tmp_path / "line.yaml")
    found = []
    names = ("spark.sql.shuffle.partitions", "spark.sql.adaptive.enabled")
    before = {name: spark.conf.get(name) for name in names}
    try:
        for partitions, adaptive in ((1, "true"), (7, "false")):
            run = Run(str(tmp_path / f"run{partitions}"))
            config = data_config(path, run, corpus)
            for name, value in zip(names, (str(partitions), adaptive), strict=True):
                spark.conf.set(name, value)
            run_stages(chain("extract", "encode", config), config, run, lambda: spark)
            found.append(digests(run))
    finally:
        for name, value in before.items():
            spark.conf.set(name, str(value))
    assert found[0] == found[1]
    assert len(found[0]) >= 8
