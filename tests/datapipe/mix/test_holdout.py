"""What is held out: whole clusters by hash, and something of every domain that can spare it."""

from __future__ import annotations

import numpy as np
from pyspark.sql import SparkSession

from datapipe.mix.holdout import Holdout, choose, cluster_keys

ROW = "domain string, cluster long, held boolean, bytes long"
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


def test_every_domain_with_two_clusters_holds_one_out_and_keeps_one(spark: SparkSession) -> None:
    held, free = CLUSTERS[RULE.of(CLUSTERS)].tolist(), CLUSTERS[~RULE.of(CLUSTERS)].tolist()
    rows = [("Large", free[n], False, 10) for n in range(50)] + [("Large", held[0], True, 10)]
    rows += [("None", free[50], False, 10), ("None", free[51], False, 500), ("None", free[51], False, 500)]
    rows += [("All", held[1], True, 10), ("All", held[2], True, 70)]
    rows += [("One", free[52], False, 10), ("OneHeld", held[3], True, 10)]
    keys = spark.createDataFrame(rows, ROW)
    rule = choose(keys, RULE, largest=0.1)
    assert rule.also == {free[50]}, "the small one goes, the large one stays"
    assert rule.never == {held[2], held[3]}, "what is held out entirely keeps its largest cluster"


def test_the_choice_does_not_depend_on_the_order_of_rows(spark: SparkSession) -> None:
    free = CLUSTERS[~RULE.of(CLUSTERS)].tolist()
    rows = [("Book", cluster, False, 5) for cluster in free[100:120]]
    one, other = (spark.createDataFrame(part, ROW) for part in (rows, rows[::-1]))
    chosen = choose(one, RULE, 0.1)
    assert chosen == choose(other.repartition(3), RULE, 0.1)
    assert len(chosen.also) == 1
