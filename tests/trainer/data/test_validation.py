"""Held-out text: every token a target once, bytes that belong to it, and the unigram line."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trainer.data import made
from tokenizer.shards import DamagedShard
from trainer.data import TokenData, TokenDataError, Validation, unigram_nats


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> TokenData:
    held = {"WebText": [5, 17, 2, 40], "Code": [3]}
    train, mix = {"WebText": [[9]], "Code": [[7]]}, {"WebText": 3.0, "Code": 1.0}
    return made.write(tmp_path_factory.mktemp("encode"), train, mix, held)


@given(context=st.integers(1, 80), size=st.integers(1, 5))
def test_every_token_is_a_target_once_with_its_own_past(data: TokenData, context: int, size: int) -> None:
    validation = Validation(data, context)
    for domain in ("WebText", "Code"):
        held = data.domain(domain).validation[0].open().tokens.tolist()
        inputs, targets, documents = [], [], []
        for batch in validation.batches(domain, size):
            assert batch.tokens.shape == (size, context + 1)
            inputs += batch.tokens[:, :-1][batch.mask].tolist()
            targets += batch.tokens[:, 1:][batch.mask].tolist()
            documents += batch.document[batch.mask].tolist()
        assert targets == held
        assert inputs == [made.EOS, *held[:-1]]
        ends = np.array(held) == made.EOS
        assert documents == (np.cumsum(ends) - ends).tolist()
        assert validation.tokens(domain) == len(held)


def test_a_limit_takes_the_whole_documents_that_fit_and_their_bytes(data: TokenData) -> None:
    cases = {1: [2], 5: [5], 21: [5, 2], 22: [5, 17], 24: [5, 17, 2], 63: [5, 17, 2], 64: [5, 17, 2, 40]}
    for limit, sizes in cases.items():
        validation = Validation(data, 8, limit)
        assert validation.documents("WebText")["tokens"].tolist() == sizes
        tokens = sum(sizes)
        assert (validation.tokens("WebText"), validation.utf8_bytes("WebText")) == (tokens, 3 * tokens)
        held = np.split(data.domain("WebText").validation[0].open().tokens, np.cumsum([5, 17, 2]))
        wanted = np.concatenate([document for document in held if len(document) in sizes]).tolist()
        assert [token for batch in validation.batches("WebText", 2) for token in batch.tokens[:, 1:][batch.mask]] == wanted


def test_documents_carry_their_language(data: TokenData) -> None:
    assert Validation(data, 8).documents("WebText")["language"].tolist() == ["en", "zh", "en", "zh"]


def test_the_unigram_model_is_that_of_the_mixed_counts(tmp_path: Path) -> None:
    small = made.write(tmp_path, {"WebText": [[1, 1]], "Code": [[2]]}, {"WebText": 3, "Code": 1}, {"Code": [1]})
    # WebText is two ends of document; Code is one token and one end: of 4 tokens seen the ends weigh 3/4 + 1/8.
    nats = unigram_nats(small)
    assert nats[made.EOS] == pytest.approx(-math.log((4 * 7 / 8 + 1) / (4 + 80_000)))
    assert np.exp(-nats).sum() == pytest.approx(1.0)


def test_an_unknown_domain_is_refused_by_name(data: TokenData) -> None:
    with pytest.raises(TokenDataError, match="no held-out text for 'Books'; there is some for: WebText, Code"):
        Validation(data, 8).tokens("Books")


def test_a_folder_without_a_manifest_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(TokenDataError, match="run the stage `encode` first"):
        TokenData.read(str(tmp_path))


def test_a_domain_of_the_mix_without_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TokenDataError, match="no training tokens for Book"):
        made.write(tmp_path, {"WebText": [[4]]}, {"WebText": 1, "Book": 1})


def test_a_damaged_shard_is_named_before_anything_starts(tmp_path: Path) -> None:
    made.write(tmp_path, {"WebText": [[4]]}, {"WebText": 1})
    path = tmp_path / "WebText" / "train-00000.bin"
    path.write_bytes(path.read_bytes()[:-2])
    with pytest.raises(DamagedShard, match=r"train-00000\.bin: has 14 bytes, the manifest asks for 16"):
        TokenData.read(str(tmp_path))


def test_verifying_finds_a_changed_byte(tmp_path: Path) -> None:
    made.write(tmp_path, {"WebText": [[4]]}, {"WebText": 1})
    path = tmp_path / "WebText" / "train-00000.bin"
    path.write_bytes(b"\x09" + path.read_bytes()[1:])
    TokenData.read(str(tmp_path))
    with pytest.raises(DamagedShard, match="SHA-256"):
        TokenData.read(str(tmp_path), verify=True)
