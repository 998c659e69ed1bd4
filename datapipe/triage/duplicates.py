"""Which crawled pages are copies of others, over the whole corpus, from addresses and hashes alone; no text moves.

First every address keeps one page (where the settings say so), then every body does. The order matters: a page that went for
the newer page of its address must not have displaced a copy of itself elsewhere. The survivor of a group is its newest page,
then a response rather than text made from one, then the smallest id: a total order, so neither partitions nor the order of
rows can change it. Pages that cannot survive for other reasons are not in the running, or an error page could displace the
article that it stands for.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from datapipe.config import TriageConfig

SAME_URL = "triage.same_url"
SAME_PAYLOAD = "triage.same_payload"


def duplicates(looked: DataFrame, config: TriageConfig) -> DataFrame:
    """The pages that go (shard, source, id, key, rule, survivor, size of the group), given rows in the form of `LOOKED`."""
    pages = looked.where(F.col("verdict").isNull()).withColumn("order", F.struct("age", "kind", "id"))
    found = []
    if config.same_url == "keep_newest":
        first = _first(pages.where(F.col("address").isNotNull()), "address")
        beaten = pages.join(first, "address").where(F.col("order") != F.col("best"))
        same = F.col("payload") == F.col("best_payload")
        found.append(_rows(beaten, F.when(same, SAME_PAYLOAD).otherwise(SAME_URL)))
        pages = pages.join(first, "address", "left").where(F.col("best").isNull() | (F.col("order") == F.col("best")))
        pages = pages.drop("best", "best_payload", "members")
    if config.same_payload:
        first = _first(pages, "payload").drop("best_payload")
        found.append(_rows(pages.join(first, "payload").where(F.col("order") != F.col("best")), F.lit(SAME_PAYLOAD)))
    if not found:
        return _rows(pages.where(F.lit(False)).withColumns({"best": F.col("order"), "members": F.lit(1)}), F.lit(""))
    return found[0] if len(found) == 1 else found[0].unionByName(found[1])


def _first(pages: DataFrame, by: str) -> DataFrame:
    """The survivor of each group of two and more. Aggregated before it is shuffled: a group may hold a part of the whole
    crawl."""
    best = (F.min("order").alias("best"), F.min_by("payload", "order").alias("best_payload"), F.count("*").alias("members"))
    return pages.groupBy(by).agg(*best).where(F.col("members") > 1)


def _rows(beaten: DataFrame, rule: Column) -> DataFrame:
    survivor = F.col("best")["id"].alias("survivor")
    return beaten.select(
        "shard", "source", "id", "key", rule.alias("rule"), survivor, F.col("members").cast("int").alias("members")
    )
