"""Vocabularies of others, from their files: GPT-4's, Llama-1/2's and Llama-3's, or any tokenizer.json of Hugging Face.

Reading the three needs `tiktoken` and `sentencepiece`, which the project itself does not.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from core.config import ConfigError

Count = Callable[[Sequence[str]], int]
"""Texts -> how many tokens they are."""

_CL100K = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
)
_LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"


@dataclass(frozen=True)
class Peer:
    """A published vocabulary: the usual name of its file, its entries, and the pattern that cuts its text (tiktoken's)."""

    file: str
    entries: int
    pattern: str = ""


PEERS = {
    "GPT-4": Peer("cl100k_base.tiktoken", 100_256, _CL100K),
    "Llama-1/2": Peer("llama2_tokenizer.model", 32_000),
    "Llama-3": Peer("llama3_tokenizer.model", 128_000, _LLAMA3),
}
"""The three of the report's Table 3."""


def in_folder(folder: str) -> dict[str, str]:
    """name -> path of the three in a folder that holds them under their usual names. Raises ConfigError where one lacks."""
    for name, peer in PEERS.items():
        if not (Path(folder) / peer.file).is_file():
            raise ConfigError(f"{folder}/{peer.file}: the vocabulary of {name} is missing; give the folder that holds it.")
    return {name: str(Path(folder) / peer.file) for name, peer in PEERS.items()}


def chosen(folder: str, entries: Sequence[str]) -> dict[str, str]:
    """name -> path of the three in `folder` (empty: none) and of each entry NAME=FILE. Raises ConfigError for another form."""
    found = in_folder(folder) if folder else {}
    for entry in entries:
        name, _, path = entry.partition("=")
        if not (name and path):
            raise ConfigError(f"--peer {entry}: must be NAME=FILE, such as Llama-3=llama3_tokenizer.model.")
        found[name] = path
    return found


def load(name: str, path: str) -> Count:
    """How the vocabulary `name` counts; any name but the three needs a tokenizer.json.

    Raises ConfigError where there is no such file, where it cannot be read, or where it holds another vocabulary.
    """
    if not Path(path).is_file():
        raise ConfigError(f"{path}: no such file; it should hold the vocabulary of {name}.")
    peer = PEERS.get(name)
    if peer is None and not path.endswith(".json"):
        raise ConfigError(f"{name}={path}: no such vocabulary; use {', '.join(PEERS)}, or any name with a tokenizer.json.")
    try:
        if peer is None or path.endswith(".json"):
            return _of_json(path)
        entries, count = _tiktoken(path, peer.pattern) if peer.pattern else _sentencepiece(path)
    except ImportError as error:
        raise ConfigError(f"{path}: {error}; install it (pip install tiktoken sentencepiece) or leave {name} out.") from None
    except Exception as error:  # each library has its own
        raise ConfigError(f"{path}: cannot be read as the vocabulary of {name}: {error}") from error
    if entries != peer.entries:
        raise ConfigError(f"{path}: holds {entries:,} entries; {name} has {peer.entries:,}. Is it another vocabulary's file?")
    return count


def _of_json(path: str) -> Count:
    tokenizer = Tokenizer.from_file(path)
    tokenizer.encode_special_tokens = True
    return lambda texts: sum(len(found) for found in tokenizer.encode_batch_fast(list(texts), add_special_tokens=False))


def _tiktoken(path: str, pattern: str) -> tuple[int, Count]:
    ranks: Any = importlib.import_module("tiktoken.load").load_tiktoken_bpe(path)
    encoding: Any = importlib.import_module("tiktoken").Encoding(
        Path(path).name, pat_str=pattern, mergeable_ranks=ranks, special_tokens={}
    )
    return len(ranks), lambda texts: sum(len(encoding.encode_ordinary(text)) for text in texts)


def _sentencepiece(path: str) -> tuple[int, Count]:
    processor: Any = importlib.import_module("sentencepiece").SentencePieceProcessor(model_file=path)
    return processor.vocab_size(), lambda texts: sum(len(ids) for ids in processor.encode(list(texts)))
