"""Bands of quality within a domain: the best fifth of its scored text, the next half, the rest.

A band is a share of the tokens of a domain (or of a language of it), by falling score. Scores are compared by bins of their
float's leading bits, finer towards 0 and 1 where calibrated scores crowd: exact on any machine, and a histogram of them is
small whatever the corpus.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from datapipe.config import DomainShare, QualityBand

UNSCORED = "unscored"
_SHIFT = 16  # of a float32's bits: 7 bits of mantissa stay, 128 bins for each halving of the distance from 0 or 1
_HALF = int(np.float32(0.5).view(np.int32)) >> _SHIFT


def bins(scores: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    """The bin of each score [N] from 0 to 1, rising with it; -1 for nan, which is no score."""
    known = np.clip(np.nan_to_num(scores.astype(np.float32)), 0, 1).astype(np.float32)
    upper = known >= 0.5
    distance = np.where(upper, np.float32(1) - known, known).astype(np.float32)  # exact: both are multiples of 2**-24
    low = (distance.view(np.int32) >> _SHIFT).astype(np.int64)
    return np.where(np.isnan(scores), -1, np.where(upper, 2 * _HALF - low, low))


@dataclass(frozen=True)
class Bands:
    """stratum -> [(band, its lowest bin)], the best first; the last band of each reaches down to bin 0."""

    bounds: Mapping[str, list[tuple[str, int]]]

    def name(self, stratum: str, place: int) -> str:
        """The stratum of a document with its band."""
        if stratum not in self.bounds:
            return stratum
        band = next((band for band, lowest in self.bounds[stratum] if place >= lowest), UNSCORED)
        return f"{stratum}/{band}"

    def column(self) -> Column:
        """The same over a table with the columns stratum and bin."""
        named: Column = F.col("stratum")
        for stratum, bounds in self.bounds.items():
            band: Column = F.lit(UNSCORED)
            for name, lowest in reversed(bounds):
                band = F.when(F.col("bin") >= lowest, name).otherwise(band)
            named = F.when(F.col("stratum") == stratum, F.concat(F.lit(f"{stratum}/"), band)).otherwise(named)
        return named


def find_bands(keys: DataFrame, mix: Mapping[str, DomainShare]) -> Bands:
    """The bands of every stratum whose domain asks for them, from the keys (stratum, domain, bin, tokens)."""
    asked = {domain: share.quality for domain, share in mix.items() if share.quality}
    if not asked:
        return Bands({})
    rows = (
        keys.where(F.col("domain").isin(list(asked))).groupBy("stratum", "domain", "bin").agg(F.sum("tokens").alias("tokens"))
    )
    counts: dict[str, dict[int, int]] = {}
    domains: dict[str, str] = {}
    for row in rows.collect():
        domains[row.stratum] = row.domain
        counts.setdefault(row.stratum, {})[row.bin] = row.tokens
    return Bands({name: cut(counts[name].items(), asked[domains[name]]) for name in sorted(counts)})


def cut(counts: Iterable[tuple[int, int]], bands: Mapping[str, QualityBand]) -> list[tuple[str, int]]:
    """The lowest bin of each band, from (bin, tokens): where the tokens from the best down are nearest to the shares."""
    scored = sorted(((place, tokens) for place, tokens in counts if place >= 0), reverse=True)
    places = [place for place, _ in scored]
    sums = np.concatenate([[0], np.cumsum([tokens for _, tokens in scored], dtype=np.int64)])
    bounds, reached, whole = [], 0.0, sum(band.share for band in bands.values())
    for name, band in bands.items():
        reached += band.share / whole
        taken = int(np.argmin(np.abs(sums - reached * sums[-1])))
        bounds.append((name, places[taken - 1] if taken else 2 * _HALF + 1))
    bounds[-1] = (bounds[-1][0], 0)
    return bounds


def score_of(place: int) -> float:
    """The lowest score of a bin; what a report says of a band's bound."""
    low = np.int32((place if place < _HALF else max(0, 2 * _HALF - place)) << _SHIFT).view(np.float32)
    return round(float(low if place < _HALF else 1 - low), 6)
