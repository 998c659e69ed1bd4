"""Smaller and larger vocabularies: as if trained to that size, ids unmoved, text still coming back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from tests.prose import article
from tests.tokenizer.conftest import SMALL, lines
from tokenizer.resize import grow, padded, shrink
from tokenizer.train import TokenizerError, train


@pytest.fixture(scope="module")
def sizes(tokenizer: Tokenizer) -> dict[str, Tokenizer]:
    smaller = shrink(tokenizer.to_str(), 300)
    larger = grow(tokenizer.to_str(), [article(number, "en", 3) for number in range(60)], 700)
    return {"smaller": Tokenizer.from_str(smaller), "larger": Tokenizer.from_str(larger)}


def test_shrinking_gives_the_vocabulary_trained_to_that_size(sizes: dict[str, Tokenizer]) -> None:
    assert sizes["smaller"].to_str() == train(lines(), replace(SMALL, vocabulary=300)).to_str()


def test_growing_on_the_same_text_goes_on_where_training_stopped(tokenizer: Tokenizer, sizes: dict[str, Tokenizer]) -> None:
    assert grow(sizes["smaller"].to_str(), lines(), SMALL.vocabulary) == tokenizer.to_str()


def test_growing_on_other_text_keeps_every_id_and_shortens_that_text(tokenizer: Tokenizer, sizes: dict[str, Tokenizer]) -> None:
    larger, text = sizes["larger"], article(7, "en", 3)
    assert larger.get_vocab_size() == 700
    assert tokenizer.get_vocab().items() <= larger.get_vocab().items()
    assert len(larger.encode(text).ids) < 0.8 * len(tokenizer.encode(text).ids)


@given(st.text())
def test_text_comes_back_from_every_size(sizes: dict[str, Tokenizer], text: str) -> None:
    for size in sizes.values():
        size.encode_special_tokens = True
        assert size.decode(size.encode(text).ids, skip_special_tokens=False) == text


def test_bytes_and_control_tokens_cannot_be_cut_away(tokenizer: Tokenizer) -> None:
    with pytest.raises(TokenizerError, match="must be from 272"):
        shrink(tokenizer.to_str(), 270)


def test_too_little_text_to_grow_on_is_told(tokenizer: Tokenizer) -> None:
    with pytest.raises(TokenizerError, match="the texts give only"):
        grow(tokenizer.to_str(), ["a b c"], 5_000)


@pytest.mark.parametrize(("vocabulary", "multiple", "rows"), [(80_000, 512, 80_384), (80_384, 512, 80_384), (9, 8, 16)])
def test_rows_of_an_embedding_are_padded(vocabulary: int, multiple: int, rows: int) -> None:
    assert padded(vocabulary, multiple) == rows
