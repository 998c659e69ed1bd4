"""Which near-duplicate clusters are held out for validation: by hash, whole clusters, and something of every domain.

A document and its near copies are on the same side, so that no validation text was trained on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import xxhash
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from datapipe.mix.ranks import RANK_BITS, ranks


def cluster_keys(clusters: Iterable[str | None], ids: Iterable[str]) -> npt.NDArray[np.int64]:
    """A number for the cluster of each document; a document without one is a cluster by itself."""
    names = [cluster or identity for cluster, identity in zip(clusters, ids, strict=True)]
    return np.array([xxhash.xxh3_64_intdigest(name.encode()) for name in names], np.uint64).view(np.int64)


@dataclass(frozen=True)
class Holdout:
    """The rule: clusters below a rank, plus and minus some named ones."""

    fraction: float
    seed: int
    also: frozenset[int] = frozenset()
    never: frozenset[int] = frozenset()

    def of(self, clusters: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Whether each cluster [n] is held out."""
        below = ranks(clusters, "validation", self.seed) < int(self.fraction * (1 << RANK_BITS))
        also, never = (np.isin(clusters, np.array(sorted(names), np.int64)) for names in (self.also, self.never))
        return (below | also) & ~never


def choose(keys: DataFrame, rule: Holdout, largest: float) -> Holdout:
    """The rule with what small domains need: from keys (domain, cluster, held, bytes), one row a document.

    A domain none of whose clusters falls below the rank gives the first by rank that is at most `largest` of its bytes
    (or else its smallest), if it has two; one all of whose clusters do keeps its largest for training. Such domains are
    small, so their clusters fit on the driver; the others are only counted.
    """
    clusters = keys.groupBy("domain", "cluster").agg(F.max("held").alias("held"), F.sum("bytes").alias("bytes"))
    counts = clusters.groupBy("domain").agg(F.count("*").alias("all"), F.sum(F.col("held").cast("int")).alias("held"))
    uneven = [row.domain for row in counts.collect() if row.held in (0, row["all"])]
    tables: dict[str, list[Any]] = {domain: [] for domain in sorted(uneven)}
    for row in clusters.where(F.col("domain").isin(uneven)).collect() if uneven else []:
        tables[row.domain].append(row)
    never = {max(rows, key=lambda row: (row.bytes, row.cluster)).cluster for rows in tables.values() if rows[0].held}
    also: set[int] = set()
    for rows in tables.values():
        if not rows[0].held:
            also.update(_one_of({row.cluster: row.bytes for row in rows}, never, rule.seed, largest))
    return Holdout(rule.fraction, rule.seed, frozenset(also), frozenset(never))


def _one_of(sizes: Mapping[int, int], never: set[int], seed: int, largest: float) -> list[int]:
    free = np.array(sorted(set(sizes) - never), np.int64)
    if len(sizes) < 2 or not len(free):
        return []
    by_rank = free[np.argsort(ranks(free, "validation", seed), kind="stable")].tolist()
    small = [cluster for cluster in by_rank if sizes[cluster] <= largest * sum(sizes.values())]
    return small[:1] or [min(by_rank, key=lambda cluster: (sizes[cluster], cluster))]
