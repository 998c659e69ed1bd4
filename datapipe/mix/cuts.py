"""From token targets to documents: in each stratum the documents of lowest rank, up to a cut.

The cut is found in two looks at a table of keys (histogram of ranks, then the one bin in which the target falls), so no
machine sorts a domain. A larger budget takes the same documents and more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce

import numpy as np
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from datapipe.mix.ranks import LAST_RANK, RANK_BITS

_BIN_BITS = 12
_SHIFT = RANK_BITS - _BIN_BITS
_AFTER_ALL = "~"  # after every id, which are hex digits


@dataclass(frozen=True)
class Cut:
    """The last document taken, by (rank, id); `step`: the tokens of the document that the target falls into."""

    rank: int
    id: str
    step: int = 0

    def takes(self, rank: int, identity: str) -> bool:
        return (rank, identity) <= (self.rank, self.id)

    def column(self) -> Column:
        """The same over a table with the columns rank and id."""
        rank = F.col("rank")
        return (rank < self.rank) | ((rank == self.rank) & (F.col("id") <= self.id))


ALL = Cut(LAST_RANK, _AFTER_ALL)


@dataclass(frozen=True)
class Histogram:
    """Tokens and documents of a stratum by bin of rank, int64 [2^12] each."""

    tokens: np.ndarray
    documents: np.ndarray


def histograms(keys: DataFrame) -> dict[str, Histogram]:
    """One pass over the keys (stratum, rank, id, tokens): the histogram of each stratum."""
    binned = keys.groupBy("stratum", F.shiftright("rank", _SHIFT).alias("bin"))
    rows = binned.agg(F.sum("tokens").alias("tokens"), F.count("*").alias("documents")).collect()
    found: dict[str, Histogram] = {}
    for row in rows:
        empty = Histogram(np.zeros(1 << _BIN_BITS, np.int64), np.zeros(1 << _BIN_BITS, np.int64))
        histogram = found.setdefault(row.stratum, empty)
        histogram.tokens[row.bin], histogram.documents[row.bin] = row.tokens, row.documents
    return dict(sorted(found.items()))


def find_cuts(keys: DataFrame, counts: Mapping[str, Histogram], wanted: Mapping[str, float], minimum: int) -> dict[str, Cut]:
    """The cut of each stratum in `wanted`: as close to its tokens as whole documents allow, and `minimum` of them."""
    cuts: dict[str, Cut] = {}
    bins: dict[str, int] = {}
    for name, tokens in wanted.items():
        histogram = counts[name]
        if tokens >= histogram.tokens.sum() or histogram.documents.sum() <= minimum:
            cuts[name] = ALL
            continue
        by_tokens = int(np.searchsorted(np.cumsum(histogram.tokens), tokens))
        by_documents = int(np.searchsorted(np.cumsum(histogram.documents), minimum))
        bins[name] = max(by_tokens, by_documents)
    for name, rows in _rows_of(keys, bins).items():
        before = counts[name].tokens[: bins[name]].sum(), counts[name].documents[: bins[name]].sum()
        cuts[name] = _cut(rows, wanted[name] - before[0], minimum - int(before[1]), bins[name])
    return cuts


def selected(cuts: Mapping[str, Cut]) -> Column:
    """Whether a row of the keys is taken."""
    chosen = ((F.col("stratum") == name) & cut.column() for name, cut in cuts.items())
    return reduce(lambda one, other: one | other, chosen, F.lit(False))


def _rows_of(keys: DataFrame, bins: Mapping[str, int]) -> dict[str, list[tuple[int, str, int]]]:
    """(rank, id, tokens) of the documents in one bin of each stratum, in order."""
    rows: dict[str, list[tuple[int, str, int]]] = {name: [] for name in bins}
    if bins:
        place = F.shiftright("rank", _SHIFT)
        within = [(F.col("stratum") == name) & (place == number) for name, number in bins.items()]
        chosen = keys.where(reduce(lambda one, other: one | other, within))
        for row in chosen.select("stratum", "rank", "id", "tokens").collect():
            rows[row.stratum].append((row.rank, row.id, row.tokens))
    return {name: sorted(entries) for name, entries in rows.items()}


def _cut(rows: list[tuple[int, str, int]], tokens: float, minimum: int, number: int) -> Cut:
    """The cut within one bin: after the document that leaves the least difference, but after `minimum` at the least."""
    sums = np.concatenate([[0], np.cumsum([entry[2] for entry in rows])])
    taken = max(int(np.argmin(np.abs(sums - tokens))), min(minimum, len(rows)))
    step = rows[min(taken, len(rows) - 1) if sums[taken] < tokens else taken - 1][2]
    if taken == 0:
        return Cut((number << _SHIFT) - 1, _AFTER_ALL, step)
    return Cut(rows[taken - 1][0], rows[taken - 1][1], step)
