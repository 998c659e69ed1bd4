"""A vocabulary made smaller or larger, without changing the ids of the entries that stay."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from tokenizer.encode import Encoder
from tokenizer.merges import Spelled, learn_merges
from tokenizer.pieces import Cutter
from tokenizer.raw_bytes import byte_alphabet
from tokenizer.train import TokenizerError, model_of


def padded(vocabulary: int, multiple: int) -> int:
    """The next multiple, for an embedding that is cut evenly over tensor-parallel ranks (the report: 128 x ranks)."""
    return -(-vocabulary // multiple) * multiple


def shrink(tokenizer_json: str, vocabulary: int) -> str:
    """The first `vocabulary` entries: since merges come in order, the very vocabulary that training to that size gives.

    Raises TokenizerError where that would cut into bytes or control tokens.
    """
    tree = json.loads(tokenizer_json)
    entries: dict[str, int] = tree["model"]["vocab"]
    least = 1 + max(entries[text] for text in (*byte_alphabet(), *_controls(tree)))
    if not least <= vocabulary <= len(entries):
        raise TokenizerError(
            f"vocabulary = {vocabulary:,} must be from {least:,} (bytes and control tokens) to {len(entries):,}."
        )
    kept = {text: identity for text, identity in entries.items() if identity < vocabulary}
    merges = [pair for pair in tree["model"]["merges"] if {*pair, "".join(pair)} <= kept.keys()]
    tree["model"].update(vocab=kept, merges=merges)
    return Tokenizer.from_str(json.dumps(tree)).to_str()


def grow(tokenizer_json: str, texts: Iterable[str], vocabulary: int, min_frequency: int = 2) -> str:
    """More entries, learned from these texts as the present vocabulary spells them; all ids that there are stay.

    On the text that it was trained on this goes on where training stopped; on other text it is how a language or a kind of
    code is added to a model. Raises TokenizerError where the texts give too few.
    """
    tree = json.loads(tokenizer_json)
    entries: dict[str, int] = tree["model"]["vocab"]
    spelled_out = sorted(entries, key=lambda text: entries[text])
    controls, alphabet = set(_controls(tree)), byte_alphabet()
    known = {
        identity: bytes(alphabet[character] for character in text)
        for identity, text in enumerate(spelled_out)
        if text not in controls
    }
    counter = Cutter(_pattern(tree)).count(texts)
    ids, lengths = Encoder(tokenizer_json).encode(list(counter))
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    pieces = Spelled(ids, offsets, np.fromiter(counter.values(), np.int64, len(counter)))
    merges = learn_merges(pieces, known, len(entries), vocabulary - len(entries), min_frequency)
    tokenizer = Tokenizer.from_str(tokenizer_json)
    tokenizer.model = model_of(spelled_out, [tuple(pair) for pair in tree["model"]["merges"]], merges)
    found = tokenizer.get_vocab_size()
    if found < vocabulary:
        raise TokenizerError(f"vocabulary = {vocabulary:,}, but the texts give only {found:,} entries; give more text.")
    return str(tokenizer.to_str())


def _controls(tree: dict[str, Any]) -> list[str]:
    return [entry["content"] for entry in tree["added_tokens"]]


def _pattern(tree: dict[str, Any]) -> str:
    for step in tree["pre_tokenizer"]["pretokenizers"]:
        if step["type"] == "Split":
            return str(step["pattern"]["Regex"])
    raise TokenizerError("the tokenizer has no split pattern; only vocabularies made by `tokenizer.train` can grow.")
