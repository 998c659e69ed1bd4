"""Connected components of more edges than a driver can hold, by GraphX, which is part of Spark.

GraphX has no Python interface; DataFrames are handed to it and taken back as typed datasets in the JVM, so nothing passes
through Python or through files. Nodes are 64-bit hashes of ranks. Should two documents share one, their clusters are handled
together, and decided apart: see `components`, which works on the ranks themselves.
"""

from __future__ import annotations

from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from datapipe.dedup.components import decide_each


def decide_with_graphx(session: SparkSession, edges: DataFrame) -> DataFrame:
    """What `components.decide` says of the edges (leader, member, likeness), decided in tasks, each cluster in one of them."""
    labelled = edges.join(components(session, edges), F.xxhash64("leader") == F.col("node")).drop("node")
    together = labelled.repartition("component").sortWithinPartitions("component")
    return together.mapInArrow(decide_each, "member binary, cluster binary, survivor binary, likeness double")


def components(session: SparkSession, edges: DataFrame) -> DataFrame:
    """(node, component): a number that all nodes of a cluster share."""
    java: Any = session._jvm
    encoders = java.org.apache.spark.sql.Encoders
    pair = encoders.tuple(encoders.scalaLong(), encoders.scalaLong())
    nodes = edges.select(F.xxhash64("leader").alias("_1"), F.xxhash64("member").alias("_2"))
    pairs = getattr(nodes._jdf, "as")(pair).rdd()
    level = java.org.apache.spark.storage.StorageLevel.MEMORY_AND_DISK()
    tag = _module(java, "scala.reflect.ClassTag").Int()
    graph = java.org.apache.spark.graphx.Graph.fromEdgeTuples(pairs, 1, java.scala.Option.empty(), level, level, tag)
    found = graph.ops().connectedComponents().vertices()
    labelled = DataFrame(session._jsparkSession.createDataset(found, pair).toDF(), session)
    return labelled.select(F.col("_1").alias("node"), F.col("_2").alias("component"))


def _module(java: Any, name: str) -> Any:
    """The Scala object of this name."""
    return getattr(getattr(java, f"{name}$"), "MODULE$")
