"""The text behind the validation shards, for models that read it with another tokenizer."""

from __future__ import annotations

from collections.abc import Callable, Sequence

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


def texts(data: TokenData, documents: dict[str, list[Piece]]) -> dict[str, list[str]]:
    """The documents' text again. Raises TokenDataError where a text is not as long as the one that was encoded."""
    tokenizer = Tokenizer.from_file(data.tokenizer)
    found = {}
    for domain, own in documents.items():
        decoded = tokenizer.decode_batch([piece.ids.tolist() for piece in own], skip_special_tokens=False)
        for piece, text in zip(own, decoded, strict=True):
            if len(text.encode()) != piece.utf8_bytes:
                raise TokenDataError(
                    f"{data.tokenizer}: a validation document of {domain} decodes to {len(text.encode()):,} bytes, "
                    f"{piece.utf8_bytes:,} were encoded; the tokenizer is not the one that encoded it."
                )
        found[domain] = decoded
    return found


def retold(
    documents: dict[str, list[Piece]], decoded: dict[str, list[str]], encode: Callable[[Sequence[str]], list[list[int]]]
) -> dict[str, list[Piece]]:
    """The same documents in another tokenizer's ids; their bytes of text are what they were."""
    return {
        domain: [
            Piece(piece.language, piece.utf8_bytes, np.asarray(ids, np.int64))
            for piece, ids in zip(own, encode(decoded[domain]), strict=True)
        ]
        for domain, own in documents.items()
    }
