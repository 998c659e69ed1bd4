"""Published tokenizers taken as they are: the library's ids, their own control tokens, and refusals that say what is there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoTokenizer

from core import storage
from tests.tokenizer.conftest import SMALL, lines
from tokenizer.encode import Encoder, Vocabulary
from tokenizer.given import take
from tokenizer.train import TokenizerError, train

BEGIN, END, CALL = "<|begin|>", "<|end|>", "<call>"
TEXTS = [*lines()[::40], f"a page with {END} and {BEGIN} and {CALL} in it", "  two  spaces\n\n", "子曰"]


@pytest.fixture(scope="module")
def byte_level() -> Tokenizer:
    """As Llama-3's: no unk, no pad, control tokens last, <|begin|> put in front, batches filled up."""
    tokenizer = train(lines(), SMALL)
    about = tokenizer.to_str()
    for name, other in (("<s>", "<a>"), ("</s>", "<b>"), ("<unk>", "<c>"), ("<pad>", "<d>")):
        about = about.replace(f'"{name}"', f'"{other}"')
    made = Tokenizer.from_str(about)
    made.add_special_tokens([BEGIN, END])
    made.add_tokens([AddedToken(CALL, special=False, normalized=False)])
    made.post_processor = processors.TemplateProcessing(single=f"{BEGIN} $A", special_tokens=[(BEGIN, 460)])
    made.enable_padding()
    return made


@pytest.fixture(scope="module")
def sentence_pieces() -> Tokenizer:
    """As Llama-2's kind: normal forms, white space as a mark, unknown characters."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    trainer: Any = trainers.BpeTrainer(vocab_size=200, special_tokens=["<unk>", BEGIN, END], show_progress=False)
    return with_marks(tokenizer, trainer)


def with_marks(tokenizer: Tokenizer, trainer: Any) -> Tokenizer:
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.train_from_iterator(lines(), trainer)
    return tokenizer


def published(tokenizer: Tokenizer, folder: Path, **config: Any) -> str:
    folder.mkdir()
    tokenizer.save(str(folder / "tokenizer.json"))
    if config:
        storage.write_json(str(folder / "tokenizer_config.json"), config)
    return str(folder / "tokenizer.json")


@pytest.mark.parametrize("kind", ["byte_level", "sentence_pieces"])
def test_text_is_encoded_as_transformers_does_with_the_published_file(
    tmp_path: Path, kind: str, request: pytest.FixtureRequest
) -> None:
    uri = published(request.getfixturevalue(kind), tmp_path / "published")
    vocabulary = take(uri, {"eos": END, "bos": BEGIN}, str(tmp_path / "taken"))
    json = Path(uri).read_text(encoding="utf-8")
    assert (tmp_path / "taken" / "tokenizer.json").read_text(encoding="utf-8") == json
    ids, lengths = Encoder(json, eos=vocabulary.eos).encode(TEXTS)
    theirs = AutoTokenizer.from_pretrained(tmp_path / "taken")
    expected = theirs(TEXTS, add_special_tokens=False, split_special_tokens=True, padding=False)["input_ids"]
    assert [part.tolist() for part in np.split(ids, np.cumsum(lengths)[:-1])] == expected
    assert vocabulary.eos not in ids and vocabulary.bos not in ids
    assert (theirs.eos_token_id, theirs.bos_token_id, theirs.pad_token_id) == (vocabulary.eos, vocabulary.bos, vocabulary.eos)


def test_documents_end_with_its_own_token(tmp_path: Path, byte_level: Tokenizer) -> None:
    uri = published(byte_level, tmp_path / "published")
    vocabulary = take(uri, {"eos": END}, str(tmp_path / "taken"))
    assert (vocabulary.vocab_size, vocabulary.unk, vocabulary.bos, vocabulary.eos, vocabulary.pad) == (
        463,
        None,
        None,
        461,
        461,
    )
    encoder = Encoder(Path(uri).read_text(encoding="utf-8"), eos=vocabulary.eos)
    ids, lengths = encoder.end_documents(*encoder.encode(["the river", ""]))
    assert [int(ids[end - 1]) for end in np.cumsum(lengths)] == [461, 461]


def test_what_stands_beside_the_file_names_the_tokens_and_the_chat(tmp_path: Path, byte_level: Tokenizer) -> None:
    about = {"eos_token": {"content": END, "special": True}, "bos_token": BEGIN, "unk_token": None, "chat_template": "{{ 1 }}"}
    uri = published(byte_level, tmp_path / "published", **about)
    vocabulary = take(uri, {}, str(tmp_path / "taken"))
    assert (vocabulary.unk, vocabulary.bos, vocabulary.eos) == (None, 460, 461)
    assert AutoTokenizer.from_pretrained(tmp_path / "taken").chat_template == "{{ 1 }}"
    assert take(uri, {"eos": "<b>"}, str(tmp_path / "again")).eos == 2  # what is said goes first
    assert Vocabulary.read(str(tmp_path / "again" / "tokenizer.json")).eos == 2


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ({}, r"nothing says which token ends a document; name it with train_tokenizer.control.eos, .*<c>, <a>"),
        ({"eos": "</s>"}, r"has no token </s>, which train_tokenizer.control.eos .* names; its special tokens are <c>, <a>"),
        ({"eos": END, "bos": "<s>"}, r"has no token <s>, which train_tokenizer.control.bos"),
        ({"eos": CALL}, r"<call> written in a text would end the document, for it is no special token there"),
    ],
)
def test_a_file_that_cannot_end_documents_is_refused(
    tmp_path: Path, byte_level: Tokenizer, named: dict[str, str], said: str
) -> None:
    with pytest.raises(TokenizerError, match=said):
        take(published(byte_level, tmp_path / "published"), named, str(tmp_path / "taken"))


def test_an_end_that_the_model_finds_in_text_is_refused(tmp_path: Path) -> None:
    """A unigram model takes the names of its control tokens for pieces, even where they are to be read as text."""
    trainer: Any = trainers.UnigramTrainer(
        vocab_size=200, special_tokens=["<unk>", END], unk_token="<unk>", show_progress=False
    )  # fmt: skip
    uri = published(with_marks(Tokenizer(models.Unigram()), trainer), tmp_path / "published")
    with pytest.raises(TokenizerError, match="written in a text would end the document, .* or a piece like others"):
        take(uri, {"eos": END}, str(tmp_path / "taken"))


def test_what_is_no_tokenizer_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text("{}", encoding="utf-8")
    with pytest.raises(TokenizerError, match="is no tokenizer.json that `tokenizers` can read"):
        take(str(tmp_path / "tokenizer.json"), {}, str(tmp_path / "taken"))
    with pytest.raises(TokenizerError, match="no such file"):
        take(str(tmp_path / "none.json"), {}, str(tmp_path / "taken"))
