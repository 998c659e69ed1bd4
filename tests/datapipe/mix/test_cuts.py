"""Cuts against a plain sort: as near the target as whole documents allow, and the same documents first, whatever the budget."""

from __future__ import annotations

import random

import pytest
from pyspark.sql import DataFrame, SparkSession

from datapipe.mix.cuts import ALL, Cut, find_cuts, histograms, selected
from datapipe.mix.ranks import LAST_RANK

SIZES = {"web": 400, "small": 7, "one": 1}


def rows() -> list[tuple[str, int, str, int]]:
    """(stratum, rank, id, tokens); some ranks are equal, so that the id must decide."""
    chance = random.Random(3)
    made = []
    for stratum, count in SIZES.items():
        for number in range(count):
            rank = chance.choice([chance.randrange(LAST_RANK), LAST_RANK // 2])
            made.append((stratum, rank, f"{chance.randrange(16**8):08x}{number:04x}", chance.randrange(1, 900)))
    return made


ROWS = rows()


@pytest.fixture(scope="module")
def keys(spark: SparkSession) -> DataFrame:
    frame = spark.createDataFrame(ROWS, "stratum string, rank long, id string, tokens long").repartition(5)
    return frame.cache()


def ranked(stratum: str) -> list[tuple[int, str, int]]:
    return sorted((rank, identity, tokens) for name, rank, identity, tokens in ROWS if name == stratum)


def total(stratum: str) -> int:
    return sum(tokens for _, _, tokens in ranked(stratum))


def taken_by(cut: Cut, stratum: str) -> list[tuple[int, str, int]]:
    return [row for row in ranked(stratum) if cut.takes(row[0], row[1])]


@pytest.mark.parametrize("share", [0.004, 0.3, 0.51, 0.97])
def test_a_cut_comes_as_near_as_whole_documents_allow(keys: DataFrame, share: float) -> None:
    wanted = {name: share * total(name) for name in SIZES}
    cuts = find_cuts(keys, histograms(keys), wanted, 0)
    for stratum, cut in cuts.items():
        order = ranked(stratum)
        taken = taken_by(cut, stratum)
        assert taken == order[: len(taken)], "the documents of lowest rank, none left out"
        best = min(abs(sum(row[2] for row in order[:count]) - wanted[stratum]) for count in range(len(order) + 1))
        assert abs(sum(row[2] for row in taken) - wanted[stratum]) == pytest.approx(best)
    chosen = {(row.stratum, row.id) for row in keys.where(selected(cuts)).collect()}
    assert chosen == {(name, row[1]) for name, cut in cuts.items() for row in taken_by(cut, name)}


def test_a_minimum_of_documents_is_taken_whatever_they_weigh(keys: DataFrame) -> None:
    cuts = find_cuts(keys, histograms(keys), {"web": 1.0, "small": 1.0}, 5)
    assert [len(taken_by(cuts[name], name)) for name in ("web", "small")] == [5, 5]


def test_all_that_there_is_needs_no_cut(keys: DataFrame) -> None:
    cuts = find_cuts(keys, histograms(keys), {"web": total("web"), "one": 1e9}, 0)
    assert cuts == {"web": ALL, "one": ALL}
