"""Encoding: ids equal to Hugging Face's, control tokens in text stay text, everything comes back as it was."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from tests.tokenizer.conftest import SMALL, lines
from tokenizer import encode
from tokenizer.encode import Encoder, Vocabulary
from tokenizer.raw_bytes import ByteCodec

AWKWARD = [
    "</s><s><unk><pad><_system><_user><_bot><_end><_spare_1>",
    " </s> ",
    "a\tb\r\nc\x00d\u2581\u2581 e",
    "e\u0301\u0301\u0327",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467\U0001f3fd",
    "   \n\n\n   x",
    "",
    "I'LL 'Re 1234567",
    "江水\u3000东流。\ufeff",
]

texts = st.one_of(st.text(), st.lists(st.sampled_from([*AWKWARD, *lines()[::37], " ", "\n"])).map("".join))


@pytest.fixture(scope="module")
def engines(tokenizer: Tokenizer) -> dict[str, Encoder]:
    json = tokenizer.to_str()
    return {"fastokens": Encoder(json, "fastokens"), "tokenizers": Encoder(json, "tokenizers")}


def reference(tokenizer: Tokenizer, text: str) -> list[int]:
    own = Tokenizer.from_str(tokenizer.to_str())
    own.encode_special_tokens = True
    return list(own.encode(text, add_special_tokens=False).ids)


@given(st.lists(texts, max_size=6))
def test_both_engines_give_the_same_ids_and_the_text_comes_back(engines, tokenizer, batch) -> None:
    fast, slow = (engines[name].encode(batch) for name in ("fastokens", "tokenizers"))
    assert np.array_equal(fast[0], slow[0])
    assert np.array_equal(fast[1], slow[1])
    ends = np.cumsum(fast[1])
    back = [
        tokenizer.decode(fast[0][end - size : end].tolist(), skip_special_tokens=False)
        for end, size in zip(ends, fast[1], strict=True)
    ]
    assert back == batch


@pytest.mark.parametrize("engine", ["fastokens", "tokenizers"])
def test_control_tokens_written_in_text_never_become_control_ids(engines, engine: str) -> None:
    ids, _ = engines[engine].encode(AWKWARD)
    assert ids.min() >= len(SMALL.control_tokens)


def test_ids_are_those_of_the_library_called_plainly(engines, tokenizer) -> None:
    batch = lines() + AWKWARD
    ids, lengths = engines["fastokens"].encode(batch)
    plain = [reference(tokenizer, text) for text in batch]
    assert ids.tolist() == [identity for text in plain for identity in text]
    assert lengths.tolist() == [len(text) for text in plain]


def test_documents_are_ended_once_each_empty_ones_too(engines) -> None:
    encoder = engines["fastokens"]
    ids, lengths = encoder.end_documents(*encoder.encode(["the river", "", "江水"]))
    assert (ids == encoder.eos).sum() == 3
    assert ids[np.cumsum(lengths) - 1].tolist() == [2, 2, 2]
    assert lengths[1] == 1


def test_an_engine_that_gives_other_ids_is_not_used(tokenizer, monkeypatch) -> None:
    monkeypatch.setattr(
        Encoder, "_encode_fast", lambda self, batch: (np.zeros(len(batch), np.int32), np.ones(len(batch), np.int64))
    )
    encoder = Encoder(tokenizer.to_str())
    assert encoder.engine == "tokenizers"
    assert encoder.fallback == "fastokens gave other ids than tokenizers on the sample"
    assert encoder.encode(["the river"])[0].tolist() == reference(tokenizer, "the river")


def test_without_the_fast_engine_the_library_serves(tokenizer, monkeypatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(encode.importlib, "import_module", missing)
    encoder = Encoder(tokenizer.to_str())
    assert (encoder.engine, encoder.fallback) == ("tokenizers", "fastokens is not installed")
    with pytest.raises(RuntimeError, match="fastokens was asked for, but fastokens is not installed"):
        Encoder(tokenizer.to_str(), "fastokens")


broken = st.lists(st.sampled_from([b"\xe6\xb1", "江".encode(), b"</s>", b"\xff", b"the "])).map(b"".join)


@given(st.one_of(st.binary(), broken))
def test_arbitrary_bytes_come_back(tokenizer, raw) -> None:
    codec = ByteCodec(Tokenizer.from_str(tokenizer.to_str()))
    ids = codec.encode(raw)
    assert codec.decode(ids) == raw
    assert all(identity >= len(SMALL.control_tokens) for identity in ids)


def test_a_vocabulary_is_described_by_its_file(tmp_path, tokenizer) -> None:
    path = tmp_path / "tokenizer.json"
    tokenizer.save(str(path))
    vocabulary = Vocabulary.read(str(path))
    assert (vocabulary.vocab_size, vocabulary.unk, vocabulary.bos, vocabulary.eos, vocabulary.pad) == (460, 0, 1, 2, 3)
