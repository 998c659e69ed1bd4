"""Which near-duplicate clusters are held out for validation: by hash, whole clusters, and something of every domain.

A document and its near copies are on the same side, so that no validation text was trained on.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import xxhash
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from datapipe.mix.ranks import LAST_RANK, RANK_BITS, ranks


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

    @property
    def bound(self) -> int:
        """The rank below which the hash alone holds a cluster out."""
        return int(self.fraction * (1 << RANK_BITS))

    def ranks(self, clusters: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        return ranks(clusters, "validation", self.seed)

    def of(self, clusters: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Whether each cluster [n] is held out."""
        below = self.ranks(clusters) < self.bound
        also, never = (np.isin(clusters, np.array(sorted(names), np.int64)) for names in (self.also, self.never))
        return (below | also) & ~never


def choose(keys: DataFrame, rule: Holdout, least: int, largest: float) -> Holdout:
    """The rule with what small domains need: from keys (domain, cluster, rank, bytes), one row a document.

    A domain with fewer than `least` clusters below the rank (or than a tenth of its clusters, where that is less, but one
    where it has two) gives the next by rank, of which none and all together are at most `largest` of its bytes; the first
    is its smallest cluster where no other will do. A domain all of whose clusters fall below the rank keeps its largest.
    Only the few clusters that may be taken come to the driver.
    """
    clusters = keys.groupBy("domain", "cluster").agg(F.min("rank").alias("rank"), F.sum("bytes").alias("bytes"))
    held = (F.col("rank") < rule.bound).cast("int")
    counts = clusters.groupBy("domain").agg(F.count("*").alias("all"), F.sum(held).alias("held"), F.sum("bytes").alias("bytes"))
    needy = {row.domain: row for row in counts.collect() if row.held in (row["all"], 0) or row.held < _need(row["all"], least)}
    if not needy:
        return rule
    near = F.lit(False)
    for domain, row in needy.items():
        reach = rule.fraction + (4 * _need(row["all"], least) + 50) / row["all"]
        near = near | ((F.col("domain") == domain) & (F.col("rank") <= min(LAST_RANK, int(reach * (1 << RANK_BITS)))))
    tables: dict[str, list[Any]] = {domain: [] for domain in sorted(needy)}
    for row in clusters.where(near).collect():
        tables[row.domain].append(row)
    never = {
        max(rows, key=lambda row: (row.bytes, row.cluster)).cluster
        for domain, rows in tables.items()
        if needy[domain].held == needy[domain]["all"]
    }
    also: set[int] = set()
    for domain, rows in tables.items():
        counted = needy[domain]
        if counted["all"] > 1 and counted.held < counted["all"]:
            missing = _need(counted["all"], least) - counted.held
            others = [row for row in rows if row.rank >= rule.bound and row.cluster not in never]
            free = sorted((row.rank, row.cluster, row.bytes) for row in others)
            also.update(_some_of(free, missing, largest * counted.bytes, first=not counted.held))
    return Holdout(rule.fraction, rule.seed, frozenset(also), frozenset(never))


def _need(clusters: int, least: int) -> int:
    """Clusters that a domain with so many should hold out."""
    return 0 if clusters < 2 else max(1, min(least, clusters // 10))


def _some_of(free: list[tuple[int, int, int]], wanted: int, room: float, first: bool) -> list[int]:
    """Up to `wanted` clusters of (rank, cluster, bytes), in order of rank, that fit into the room together."""
    taken: list[int] = []
    for _, cluster, size in free:
        if len(taken) < wanted and size <= room:
            taken.append(cluster)
            room -= size
    if first and not taken and free:
        return [min(free, key=lambda entry: (entry[2], entry[0]))[1]]
    return taken
