"""The properties that a config means, before any JVM starts."""

from __future__ import annotations

import sys

from datapipe.config import SparkConfig
from datapipe.launch import properties


def test_executors_unpack_the_environment_that_is_sent_and_the_driver_keeps_its_own() -> None:
    made = properties(
        SparkConfig(master="spark://host:7077", environment="hdfs:///env.tar.gz", python_files="hdfs:///code.zip")
    )
    assert made["spark.archives"] == "hdfs:///env.tar.gz#environment"
    assert made["spark.pyspark.python"] == "./environment/bin/python"
    assert made["spark.pyspark.driver.python"] == sys.executable
    assert made["spark.submit.pyFiles"] == "hdfs:///code.zip"
    assert "spark.driver.host" not in made


def test_what_the_user_sets_wins() -> None:
    made = properties(SparkConfig(conf={"spark.python.worker.reuse": "false"}))
    assert made["spark.python.worker.reuse"] == "false" and "spark.archives" not in made
