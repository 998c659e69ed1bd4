"""Connected components of more edges than a driver can hold, by GraphX, which is part of Spark.

GraphX has no Python interface; DataFrames are handed to it and taken back as typed datasets in the JVM, so nothing passes
through Python or through files. Nodes are 64-bit hashes of ranks. Should two documents share one, their clusters are handled
together, and decided apart: see `components`, which works on the ranks themselves.
"""

from __future__ import annotations

from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F


def components(session: SparkSession, edges: DataFrame) -> DataFrame:
    """The edges (leader, member, likeness) with a column `component`, a number that all edges of a cluster share."""
    java: Any = session._jvm
    encoders = java.org.apache.spark.sql.Encoders
    pair = encoders.tuple(encoders.scalaLong(), encoders.scalaLong())
    nodes = edges.select(F.xxhash64("leader").alias("_1"), F.xxhash64("member").alias("_2"))
    level = java.org.apache.spark.storage.StorageLevel.MEMORY_AND_DISK()
    graph = java.org.apache.spark.graphx.Graph.fromEdgeTuples(
        getattr(nodes._jdf, "as")(pair).rdd(), 1, java.scala.Option.empty(), level, level, _module(java, "scala.reflect.ClassTag").Int()
    )
    found = graph.ops().connectedComponents().vertices()
    labelled = DataFrame(session._jsparkSession.createDataset(found, pair).toDF(), session)
    labelled = labelled.select(F.col("_1").alias("node"), F.col("_2").alias("component"))
    return edges.join(labelled, F.xxhash64("leader") == F.col("node")).drop("node")


def _module(java: Any, name: str) -> Any:
    """The Scala object of this name."""
    return getattr(getattr(java, f"{name}$"), "MODULE$")
