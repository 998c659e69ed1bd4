"""The vocabulary: control tokens in their places, digits alone, the same every time, files that transformers loads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer
from transformers import AutoTokenizer

from core.config import ConfigError
from tests.tokenizer.conftest import SMALL, lines
from tokenizer.config import TokenizerConfig
from tokenizer.train import TokenizerError, save, train


def test_control_tokens_have_the_reports_ids(tokenizer: Tokenizer) -> None:
    names = ["<unk>", "<s>", "</s>", "<pad>", "<_system>", "<_user>", "<_bot>", "<_end>", "<_spare_0>"]
    assert [tokenizer.token_to_id(name) for name in names] == list(range(9))
    assert tokenizer.get_vocab_size() == SMALL.vocabulary


def test_every_digit_is_a_token_of_its_own(tokenizer: Tokenizer) -> None:
    tokens = tokenizer.encode("in 20240131 and 3.14").tokens
    assert [token for token in tokens if any(map(str.isdigit, token))] == list("20240131314")


def test_nothing_is_put_around_a_text(tokenizer: Tokenizer) -> None:
    assert min(tokenizer.encode("the river").ids) >= len(SMALL.control_tokens)


def test_training_again_in_another_order_gives_the_same_file(tokenizer: Tokenizer) -> None:
    assert train(reversed(lines()), SMALL).to_str() == tokenizer.to_str()


def test_a_sample_too_small_for_the_vocabulary_is_refused() -> None:
    with pytest.raises(TokenizerError, match=r"vocabulary = 5,000, but the sample gives only \d+ entries"):
        train(["a small sample, a small sample"], TokenizerConfig(vocabulary=5_000))


def test_a_vocabulary_without_room_for_merges_is_refused() -> None:
    with pytest.raises(ConfigError, match="leaves no room for merges"):
        TokenizerConfig(vocabulary=300)


def test_transformers_loads_the_files_and_writes_chat_as_the_report_does(tmp_path: Path, tokenizer: Tokenizer) -> None:
    save(tokenizer, str(tmp_path))
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    text = "The river ran. 江水东流 12 def step(value):\n    return value"
    assert loaded(text).input_ids == tokenizer.encode(text).ids
    assert loaded.decode(loaded(text).input_ids) == text
    assert (loaded.unk_token_id, loaded.bos_token_id, loaded.eos_token_id, loaded.pad_token_id) == (0, 1, 2, 3)
    talk = [{"role": "system", "content": "S"}, {"role": "user", "content": "U"}, {"role": "assistant", "content": "A"}]
    write = loaded.apply_chat_template
    assert write(talk, tokenize=False) == "<_system>S<_user>U<_bot>A"
    assert write(talk[:2], tokenize=False, add_generation_prompt=True) == "<_system>S<_user>U<_bot>"
    assert write(talk + talk[1:], tokenize=False) == "<_system>S<_user>U<_bot>A<_end><_user>U<_bot>A"
    ids: Any = write(talk, return_dict=False)
    assert [identity for identity in ids if identity < 8] == [4, 5, 6]
