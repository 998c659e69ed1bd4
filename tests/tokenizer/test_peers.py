"""Others' vocabularies: read from their files, and refused by name where a file is missing, broken or another's."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from core.config import ConfigError
from tokenizer import peers
from tokenizer.peers import PEERS, Peer, chosen, in_folder, load


def ranks(path: Path, extra: tuple[bytes, ...] = ()) -> str:
    """A vocabulary as tiktoken writes it: the bytes, and some longer entries."""
    entries = [*(bytes([byte]) for byte in range(256)), *extra]
    path.write_text("".join(f"{base64.b64encode(raw).decode()} {rank}\n" for rank, raw in enumerate(entries)))
    return str(path)


def test_a_vocabulary_of_tiktoken_counts_and_reads_control_tokens_as_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = ranks(tmp_path / "made.tiktoken", (b"th", b"the"))
    monkeypatch.setitem(PEERS, "Llama-3", Peer("made.tiktoken", 258, PEERS["Llama-3"].pattern))
    count = load("Llama-3", path)
    assert count(["the", "then"]) == 3
    assert count(["<|endoftext|>"]) == len("<|endoftext|>")


def test_any_other_name_takes_a_tokenizer_json(tmp_path: Path, tokenizer: Tokenizer) -> None:
    tokenizer.save(str(tmp_path / "older.json"))
    assert load("older", str(tmp_path / "older.json"))(["the river </s>"]) == len(tokenizer.encode("the river ").ids) + 4


def test_a_missing_vocabulary_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cl100k_base.tiktoken: the vocabulary of GPT-4 is missing"):
        in_folder(str(tmp_path))
    with pytest.raises(ConfigError, match="no such file; it should hold the vocabulary of Llama-3"):
        load("Llama-3", str(tmp_path / "none"))


def test_the_file_of_another_vocabulary_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="holds 256 entries; GPT-4 has 100,256"):
        load("GPT-4", ranks(tmp_path / "small.tiktoken"))


@pytest.mark.parametrize(("name", "file"), [("GPT-4", "a.tiktoken"), ("Llama-1/2", "a.model"), ("other", "a.json")])
def test_a_file_that_is_no_vocabulary_is_named(tmp_path: Path, name: str, file: str) -> None:
    (tmp_path / file).write_text("no vocabulary")
    with pytest.raises(ConfigError, match=f"{file}: cannot be read as the vocabulary of {name}"):
        load(name, str(tmp_path / file))


def test_an_unknown_name_is_told_what_is_known(tmp_path: Path) -> None:
    (tmp_path / "a.model").write_text("")
    with pytest.raises(ConfigError, match="GPT-5=.*a.model: no such vocabulary; use GPT-4, Llama-1/2, Llama-3, or any name"):
        load("GPT-5", str(tmp_path / "a.model"))


def test_what_a_library_is_missing_for_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(f"No module named '{name}'")

    monkeypatch.setattr(peers.importlib, "import_module", missing)
    with pytest.raises(ConfigError, match="No module named 'tiktoken.load'; install it"):
        load("GPT-4", ranks(tmp_path / "small.tiktoken"))


def test_a_folder_and_single_files_are_given_together(tmp_path: Path) -> None:
    for peer in PEERS.values():
        (tmp_path / peer.file).write_text("")
    found = chosen(str(tmp_path), ["Llama-3=mine.model", "older=a=b.json"])
    assert list(found) == ["GPT-4", "Llama-1/2", "Llama-3", "older"]
    assert (found["Llama-3"], found["older"]) == ("mine.model", "a=b.json")
    with pytest.raises(ConfigError, match="--peer Llama-3: must be NAME=FILE"):
        chosen("", ["Llama-3"])
