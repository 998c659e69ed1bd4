"""The text behind the validation shards, for models that read it with another tokenizer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from tokenizers import Tokenizer

from trainer.data.token_data import TokenData, TokenDataError
from trainer.data.validation import Validation
from trainer.evaluate.windows import Piece


def pieces(data: TokenData, limit: int | None) -> dict[str, list[Piece]]:
    """The held-out documents of each domain as our own tokens, in the order of the shards, at most `limit` tokens of each."""
    records = Validation(data, 1, limit)
    found = {}
    for domain in records.domains:
        documents = records.documents(domain)
        shards = {place: data.domain(domain).validation[place].open() for place in np.unique(documents["shard"]).tolist()}
        found[domain] = [
            Piece(str(document["language"]), int(document["utf8_bytes"]), np.asarray(ids[:-1], np.int64))
            for document in documents
            for ids in [shards[int(document["shard"])].tokens[document["start"] : document["start"] + document["tokens"]]]
        ]
    return found


@dataclass(frozen=True)
class Readable:
    """Held-out documents that other models can read too: our ids and the text, by domain; how many others were left out."""

    documents: dict[str, list[Piece]]
    texts: dict[str, list[str]]
    left_out: int


def readable(data: TokenData, documents: dict[str, list[Piece]]) -> Readable:
    """Those of the documents whose ids give a text as long as the one that was encoded.

    A tokenizer that is not byte-level has normal forms, characters that it does not know and blanks that it drops; what such
    a document said is not known any more, so no model's figures may hold it. Raises TokenDataError where none is left.
    """
    tokenizer = Tokenizer.from_file(data.tokenizer)
    kept: dict[str, list[Piece]] = {}
    told: dict[str, list[str]] = {}
    for domain, own in documents.items():
        decoded = tokenizer.decode_batch([piece.ids.tolist() for piece in own], skip_special_tokens=False)
        for piece, text in zip(own, decoded, strict=True):
            if len(text.encode()) == piece.utf8_bytes:
                kept.setdefault(domain, []).append(piece)
                told.setdefault(domain, []).append(text)
    there, left = sum(map(len, documents.values())), sum(map(len, kept.values()))
    if there and not left:
        raise TokenDataError(
            f"{data.tokenizer}: gives none of {there:,} validation documents back in the length that was encoded. Either "
            "another tokenizer encoded them, or this one does not keep text as it is, and other models cannot be measured."
        )
    return Readable(kept, told, there - left)


def retold(shared: Readable, encode: Callable[[Sequence[str]], list[list[int]]]) -> dict[str, list[Piece]]:
    """The same documents in another tokenizer's ids; their bytes of text are what they were."""
    return {
        domain: [
            Piece(piece.language, piece.utf8_bytes, np.asarray(ids, np.int64))
            for piece, ids in zip(own, encode(shared.texts[domain]), strict=True)
        ]
        for domain, own in shared.documents.items()
    }
