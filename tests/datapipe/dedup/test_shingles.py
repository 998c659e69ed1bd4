"""Shingle sets as their definition says, and the share of them that two texts have in common."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from datapipe.dedup.shingles import jaccard, shingle_sets
from tests.datapipe.dedup.builders import SETS, stored


def test_shingles_are_runs_of_words_or_of_characters() -> None:
    sets = shingle_sets(["a b c d e f", "a b c d e", "the end", "The end!", "", "一二三四五六七", "b c d e f"], 5, 3)
    assert [len(sets[d]) for d in range(7)] == [2, 1, 1, 1, 0, 5, 1]
    assert sets[2].tolist() == sets[3].tolist()
    assert jaccard(sets[0], sets[1]) == jaccard(sets[0], sets[6]) == 0.5
    assert jaccard(sets[1], sets[6]) == jaccard(sets[4], sets[4]) == 0.0


@given(SETS)
@settings(max_examples=40, deadline=None)
def test_jaccard_is_the_shared_share_of_two_sets(sets: list[set[int]]) -> None:
    kept = stored(sets)
    for a, one in enumerate(sets):
        for b, other in enumerate(sets):
            expected = len(one & other) / len(one | other) if one and other else 0.0
            assert jaccard(kept[a], kept[b]) == pytest.approx(expected)
