"""Merges from counted pieces: the very ones of the library, on text and on made words, and pieces cut as it cuts."""

from __future__ import annotations

import random
import unicodedata
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Regex, Tokenizer, pre_tokenizers

from tests.prose import article
from tests.tokenizer.conftest import SMALL, lines
from tokenizer.config import PATTERN, TokenizerConfig
from tokenizer.merges import Spelled, learn_merges
from tokenizer.pieces import Cutter, PieceCounts
from tokenizer.train import TokenizerError, train, train_by_library, train_on_pieces


def prose() -> list[str]:
    return [article(number, "zh" if number % 2 else "en", 4) for number in range(120)]


def test_the_file_is_the_one_that_the_library_makes_of_the_text() -> None:
    config = TokenizerConfig(vocabulary=1_400, spares=3)
    assert train(prose(), config).to_str() == train_by_library(prose(), config).to_str()


@settings(max_examples=40)
@given(seed=st.integers(0, 10**6), letters=st.sampled_from(["ab", "abc", "aab\u6c34"]))
def test_runs_and_ties_are_merged_as_the_library_merges_them(seed: int, letters: str) -> None:
    """Words of few letters: pairs overlap, counts tie, and one entry is spelled in two ways."""
    rng = random.Random(seed)
    words = ["".join(rng.choice(letters) for _ in range(rng.randint(1, 9))) for _ in range(40)]
    text = " ".join(word for word in words for _ in range(rng.randint(1, 4)))
    for size in (275, 300, 340):
        config = TokenizerConfig(vocabulary=size, spares=0)
        try:
            reference = train_by_library([text], config).to_str()
        except TokenizerError:
            with pytest.raises(TokenizerError):
                train([text], config)
            continue
        assert train([text], config).to_str() == reference


def test_counts_of_parts_add_up_to_the_same_vocabulary(tokenizer: Tokenizer) -> None:
    cutter = Cutter(SMALL.pattern)
    parts = [cutter.count(lines()[start::3]) for start in range(3)]
    total: Counter[str] = sum(parts, Counter())
    assert train_on_pieces(PieceCounts.of(total), SMALL).to_str() == tokenizer.to_str()


def test_no_text_gives_no_merges() -> None:
    for counter in (Counter(), Counter({"a": 5, "": 2})):
        pieces = PieceCounts.of(counter)
        spelled = Spelled(pieces.data.astype(np.int32), pieces.offsets, pieces.counts)
        assert learn_merges(spelled, {97: b"a"}, 256, wanted=10) == []


def pieces_by_library(pattern: str, text: str) -> list[str]:
    return [piece for piece, _ in pre_tokenizers.Split(Regex(pattern), behavior="isolated").pre_tokenize_str(text)]


@given(st.text())
def test_any_text_is_cut_as_the_library_cuts_it(text: str) -> None:
    assert Cutter(PATTERN).cut(text) == pieces_by_library(PATTERN, text)


def test_every_character_is_cut_as_the_library_cuts_it() -> None:
    """All of Unicode, in the neighbourhoods that the pattern tells apart; of the many ideographs one in sixteen."""
    cutter = Cutter(PATTERN)
    kinds = {point: unicodedata.category(chr(point)) for point in range(0x110000) if not 0xD800 <= point < 0xE000}
    assigned = [point for point, kind in kinds.items() if kind not in ("Cn", "Co") and (kind != "Lo" or point % 16 == 0)]
    for start in range(0, len(assigned), 2_000):
        text = "".join(f"a{chr(point)}a 1{chr(point)}1 !{chr(point)}! " for point in assigned[start : start + 2_000])
        assert cutter.cut(text) == pieces_by_library(PATTERN, text), hex(assigned[start])
    for point in (0x558, 0x88F, 0xA7CE, 0x10940, 0x323B0):
        text = f"a{chr(point)}a 1{chr(point)}1"
        assert cutter.cut(text) == pieces_by_library(PATTERN, text)


@given(st.text("ab1 -\n", max_size=30))
def test_a_pattern_with_groups_or_gaps_is_cut_as_the_library_cuts_it(text: str) -> None:
    for pattern in (r"(a)|(b+)", r"a+", r"(?:a|1)+| "):
        assert Cutter(pattern).cut(text) == pieces_by_library(pattern, text)
