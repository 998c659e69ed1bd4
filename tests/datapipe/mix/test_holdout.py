"""What is held out: whole clusters by hash, and something of every domain that can spare it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession

from datapipe.mix.holdout import Holdout, choose, cluster_keys

RULE = Holdout(fraction=0.1, seed=1)
CLUSTERS = np.arange(1, 2_001, dtype=np.int64) * 1_000_003


def test_about_the_fraction_is_held_out_and_named_clusters_follow_their_names() -> None:
    held = RULE.of(CLUSTERS)
    assert abs(held.mean() - 0.1) < 0.02
    inside, outside = int(CLUSTERS[held][0]), int(CLUSTERS[~held][0])
    changed = Holdout(0.1, 1, also=frozenset([outside]), never=frozenset([inside]))
    assert changed.of(np.array([inside, outside])).tolist() == [False, True]


def test_a_document_without_a_cluster_is_one_by_itself() -> None:
    keys = cluster_keys(["a", None, None, "a"], ["1", "2", "3", "4"])
    assert keys[0] == keys[3] and len(set(keys.tolist())) == 3


def frame(spark: SparkSession, rows: list[tuple[str, int, int]]) -> DataFrame:
    """Rows of (domain, cluster, bytes) with the ranks that the rule gives."""
    ranks = RULE.ranks(np.array([row[1] for row in rows])).tolist()
    domains, clusters, sizes = zip(*rows, strict=True)
    return spark.createDataFrame(pa.table({"domain": domains, "cluster": clusters, "rank": ranks, "bytes": sizes}))


def test_every_domain_with_two_clusters_holds_one_out_and_keeps_one(spark: SparkSession) -> None:
    held, free = CLUSTERS[RULE.of(CLUSTERS)].tolist(), CLUSTERS[~RULE.of(CLUSTERS)].tolist()
    rows = [("Large", free[n], 10) for n in range(50)] + [("Large", held[0], 10)]
    rows += [("None", free[50], 10), ("None", free[51], 500), ("None", free[51], 500)]
    rows += [("All", held[1], 10), ("All", held[2], 70)]
    rows += [("One", free[52], 10), ("OneHeld", held[3], 10)]
    rule = choose(frame(spark, rows), RULE, least=1, largest=0.1)
    assert rule.also == {free[50]}, "the small one goes, the large one stays"
    assert rule.never == {held[2], held[3]}, "what is held out entirely keeps its largest cluster"


def test_a_small_domain_holds_out_the_next_by_rank_up_to_what_it_can_spare(spark: SparkSession) -> None:
    held, free = CLUSTERS[RULE.of(CLUSTERS)].tolist(), CLUSTERS[~RULE.of(CLUSTERS)].tolist()
    rows = [("Book", cluster, 10) for cluster in (*free[:99], held[0])] + [("Code", cluster, 10) for cluster in free[100:130]]
    by_rank = sorted(free[:99], key=lambda cluster: RULE.ranks(np.array([cluster]))[0])
    for order in (rows, rows[::-1]):
        rule = choose(frame(spark, order).repartition(3), RULE, least=5, largest=0.5)
        assert rule.also & set(free[:99]) == set(by_rank[:4]), "one is held out by its hash, four more make five"
        assert len(rule.also & set(free[100:130])) == 3, "a tenth of thirty"
    tight = choose(frame(spark, rows), RULE, least=5, largest=0.02)
    assert len(tight.also & set(free[:99])) == 2, "twenty bytes of a thousand"
