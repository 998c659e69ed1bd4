"""Encoding: ids equal to Hugging Face's, control tokens in text stay text, everything comes back as it was."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models

from tests.tokenizer.conftest import SMALL, lines
from tokenizer import encode
from tokenizer.encode import Encoder, Vocabulary
from tokenizer.raw_bytes import ByteCodec, byte_alphabet
from tokenizer.train import control_tokens, untrained

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
def test_both_engines_give_the_same_ids_and_the_text_comes_back(
    engines: dict[str, Encoder], tokenizer: Tokenizer, batch: list[str]
) -> None:
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
def test_control_tokens_written_in_text_never_become_control_ids(engines: dict[str, Encoder], engine: str) -> None:
    ids, _ = engines[engine].encode(AWKWARD)
    assert ids.min() >= len(SMALL.control_tokens)


def test_ids_are_those_of_the_library_called_plainly(engines: dict[str, Encoder], tokenizer: Tokenizer) -> None:
    batch = lines() + AWKWARD
    ids, lengths = engines["fastokens"].encode(batch)
    plain = [reference(tokenizer, text) for text in batch]
    assert ids.tolist() == [identity for text in plain for identity in text]
    assert lengths.tolist() == [len(text) for text in plain]


def test_documents_are_ended_once_each_empty_ones_too(engines: dict[str, Encoder]) -> None:
    encoder = engines["fastokens"]
    ids, lengths = encoder.end_documents(*encoder.encode(["the river", "", "江水"]))
    assert (ids == encoder.eos).sum() == 3
    assert ids[np.cumsum(lengths) - 1].tolist() == [2, 2, 2]
    assert lengths[1] == 1


def test_an_engine_that_gives_other_ids_is_not_used(tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(fast: object, batch: list[str]) -> tuple[np.ndarray, np.ndarray]:
        return np.zeros(len(batch), np.int32), np.ones(len(batch), np.int64)

    monkeypatch.setattr(encode, "_by_fastokens", wrong)
    encoder = Encoder(tokenizer.to_str(), sample=["the river"])
    assert encoder.engine == "tokenizers"
    assert encoder.fallback == "fastokens gave other ids than tokenizers on the sample"
    assert encoder.encode(["the river"])[0].tolist() == reference(tokenizer, "the river")


def test_without_the_fast_engine_the_library_serves(tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(encode.importlib, "import_module", missing)
    monkeypatch.setattr(encode, "_fast_engine", encode._fast_engine.__wrapped__)  # as in a new process
    encoder = Encoder(tokenizer.to_str())
    assert (encoder.engine, encoder.fallback) == ("tokenizers", "fastokens is not installed")
    with pytest.raises(RuntimeError, match="fastokens was asked for, but fastokens is not installed"):
        Encoder(tokenizer.to_str(), "fastokens")


broken = st.lists(st.sampled_from([b"\xe6\xb1", "江".encode(), b"</s>", b"\xff", b"the "])).map(b"".join)


@given(st.one_of(st.binary(), broken))
def test_arbitrary_bytes_come_back(tokenizer: Tokenizer, raw: bytes) -> None:
    codec = ByteCodec(Tokenizer.from_str(tokenizer.to_str()))
    ids = codec.encode(raw)
    assert codec.decode(ids) == raw
    assert all(identity >= len(SMALL.control_tokens) for identity in ids)


SENTENCES = {
    "Amharic": "ወንዙ በሸለቆው ውስጥ ይፈሳል።",
    "Arabic": "يَجْرِي النَّهْرُ فِي الوَادِي.",
    "Armenian": "Գետը հոսում է հովտով։",
    "Bengali": "নদীটি উপত্যকা দিয়ে বয়ে যায়।",
    "Burmese": "မြစ်သည် ချိုင့်ဝှမ်းကို ဖြတ်စီးသည်။",
    "Cherokee": "ᎠᎹ ᎡᏉᏂ ᎦᏃᏔᏅ",
    "Georgian": "მდინარე ხეობაში მიედინება.",
    "Greek": "Ο ποταμός κυλά στην κοιλάδα.",
    "Hebrew": "הַנָּהָר זוֹרֵם בָּעֵמֶק.",
    "Hindi": "नदी घाटी से होकर बहती है।",
    "Japanese": "川は谷を流れ、ガ行の音が響く。ﾊﾝｶｸ",
    "Khmer": "ទន្លេហូរកាត់ជ្រលងភ្នំ។",
    "Korean": "강은 골짜기를 따라 흐른다. \u1100\u1161\u11a8",
    "Lao": "ແມ່ນ້ໍາໄຫຼຜ່ານຮ່ອມພູ",
    "Mongolian": "ᠭᠣᠣᠯ ᠤᠷᠤᠰᠤᠨ᠎ᠠ",
    "Russian": "Река течёт по долине; и\u0306 рядом с й.",
    "Sinhala": "ගඟ නිම්නය හරහා ගලා යයි.",
    "Tamil": "ஆறு பள்ளத்தாக்கு வழியே ஓடுகிறது.",
    "Thai": "แม่น้ำไหลผ่านหุบเขา",
    "Tibetan": "གཙང་པོ་ལུང་པའི་ནང་དུ་རྒྱུག",
    "Vietnamese": "Con sông chảy qua thung lũng, ơ\u0323 và ợ.",
    "Zalgo": "r\u0335\u0321\u0322i\u0334\u0301\u0302v\u0336e\u0337\u0308r",
}


@pytest.mark.parametrize("language", SENTENCES)
def test_every_language_comes_back_with_the_librarys_ids(
    engines: dict[str, Encoder], tokenizer: Tokenizer, language: str
) -> None:
    text = SENTENCES[language]
    ids, _ = engines["fastokens"].encode([text])
    assert ids.tolist() == reference(tokenizer, text)
    assert tokenizer.decode(ids.tolist(), skip_special_tokens=False) == text


def paired() -> str:
    """A vocabulary in which any two bytes of a piece merge, so that another cut of a text is other ids."""
    alphabet = sorted(byte_alphabet())
    first = [*SMALL.control_tokens, *alphabet]
    tokenizer = untrained(SMALL)
    pairs = [(left, right) for left in alphabet for right in alphabet]
    tokenizer.model = models.BPE({text: place for place, text in enumerate([*first, *(a + b for a, b in pairs)])}, pairs)
    tokenizer.add_special_tokens(control_tokens(SMALL))
    return str(tokenizer.to_str())


def test_every_character_is_cut_by_the_fast_engine_as_by_the_library() -> None:
    """All of Unicode, in the neighbourhoods that the pattern tells apart; of the many ideographs one in 64."""
    json = paired()
    fast, slow = Encoder(json, "fastokens"), Encoder(json, "tokenizers")
    kinds = {point: unicodedata.category(chr(point)) for point in range(0x110000) if not 0xD800 <= point < 0xE000}
    points = [point for point, kind in kinds.items() if kind not in ("Cn", "Co") and (kind != "Lo" or point % 64 == 0)]
    points += [0x558, 0x88F, 0xA7CE, 0x10940, 0x323B0, 0xE000, 0x10FFFD]  # unassigned, of new editions, private
    texts = [f"a{c}a 1{c}1 !{c}! {c}{c}\n{c} ' {c}'s" for c in map(chr, points)]
    mine, theirs = fast.encode(texts), slow.encode(texts)
    assert np.array_equal(mine[1], theirs[1])
    assert np.array_equal(mine[0], theirs[0])


def test_engines_are_made_once_a_process(tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch) -> None:
    json = tokenizer.to_str()
    Encoder(json)
    monkeypatch.setattr(encode.importlib, "import_module", None)
    assert Encoder(json, sample=["the river"]).engine == "fastokens"


def test_a_vocabulary_is_described_by_its_file(tmp_path: Path, tokenizer: Tokenizer) -> None:
    path = tmp_path / "tokenizer.json"
    tokenizer.save(str(path))
    vocabulary = Vocabulary.read(str(path))
    assert (vocabulary.vocab_size, vocabulary.unk, vocabulary.bos, vocabulary.eos, vocabulary.pad) == (460, 0, 1, 2, 3)
