"""Held-out text of each domain, every token predicted exactly once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from trainer.data.token_data import DomainTokens, ShardFacts, TokenData, TokenDataError


@dataclass(frozen=True)
class ValidationBatch:
    """Some windows of one domain.

    tokens int64 [n, context + 1]; mask bool [n, context], true where a target counts; document int64 [n, context],
    which document (row of `Validation.documents`) each target belongs to, -1 at padding.
    """

    tokens: npt.NDArray[np.int64]
    mask: npt.NDArray[np.bool_]
    document: npt.NDArray[np.int64]


class Validation:
    """Held-out windows with blocked context, as in training.

    A domain's documents stand one after another, in the order of the shards, and are cut into windows of `context`
    tokens. A window sees nothing before its beginning, and what it sees of the document before is what a packed
    training sequence sees. The very first target has the end-of-document id before it, so all tokens of the domain are
    targets once, the ends of documents included; the last window is padded and masked.

    limit: tokens of each domain to use at most, in whole documents: those that fit, taken in turn, or else the shortest one;
    None uses all.
    """

    def __init__(self, data: TokenData, context: int, limit: int | None = None) -> None:
        self.data, self.context = data, context
        self._held = {domain.name: _Held(domain, limit) for domain in data.domains if domain.validation}

    @property
    def domains(self) -> list[str]:
        """The domains that have held-out text."""
        return list(self._held)

    def tokens(self, domain: str) -> int:
        """Targets of a domain: the tokens of its documents, their ends included."""
        return self._of(domain).total

    def utf8_bytes(self, domain: str) -> int:
        """Bytes of the text behind those targets. BPB = summed loss in nats / ln 2 / bytes."""
        return int(self._of(domain).documents["utf8_bytes"].sum())

    def documents(self, domain: str) -> npt.NDArray[Any]:
        """One record a document: language (a string), utf8_bytes, tokens."""
        return self._of(domain).documents

    def windows(self, domain: str) -> int:
        return -(-self.tokens(domain) // self.context)

    def batch(self, domain: str, start: int, count: int) -> ValidationBatch:
        """Windows start .. start + count of a domain; windows past its end are all padding, masked."""
        held, context = self._of(domain), self.context
        tokens = np.full((count, context + 1), self.data.pad, np.int64)
        document = np.full((count, context), -1, np.int64)
        for row in range(count):
            begin = (start + row) * context
            end = min(begin + context, held.total)
            if begin >= end:
                continue
            tokens[row, 0] = held.read(begin - 1, begin)[0] if begin else self.data.eos
            tokens[row, 1 : 1 + end - begin] = held.read(begin, end)
            document[row, : end - begin] = np.searchsorted(held.ends, np.arange(begin, end), side="right")
        return ValidationBatch(tokens, document >= 0, document)

    def batches(self, domain: str, size: int) -> Iterator[ValidationBatch]:
        """All windows of a domain, `size` at a time; the last batch is filled up with masked windows."""
        for start in range(0, self.windows(domain), size):
            yield self.batch(domain, start, size)

    def _of(self, domain: str) -> _Held:
        if domain not in self._held:
            known = ", ".join(self._held) or "none"
            raise TokenDataError(f"{self.data.folder}: no held-out text for '{domain}'; there is some for: {known}.")
        return self._held[domain]


class _Held:
    """The chosen held-out documents of one domain, back to back."""

    def __init__(self, domain: DomainTokens, limit: int | None) -> None:
        parts: list[npt.NDArray[Any]] = []
        taken: list[npt.NDArray[np.bool_]] = []
        left = limit
        for facts in domain.validation:
            parts.append(_records(facts, len(parts)))
            taken.append(_fitting(parts[-1]["tokens"], left))
            if left is not None and limit is not None:
                left -= int(parts[-1]["tokens"][taken[-1]].sum())
                if left < limit // 20:  # near enough: a large corpus has more shards than need be opened
                    break
        documents, chosen = np.concatenate(parts), np.concatenate(taken)
        if not chosen.any():
            chosen[np.argmin(documents["tokens"])] = True
        self._open = lru_cache(maxsize=4)(lambda place: domain.validation[place].open())
        self.documents = documents[chosen]
        self.ends = np.cumsum(self.documents["tokens"])
        self.total = int(self.ends[-1])

    def read(self, begin: int, end: int) -> npt.NDArray[Any]:
        pieces = []
        while begin < end:
            row = int(np.searchsorted(self.ends, begin, side="right"))
            stop = min(end, int(self.ends[row]))
            document = self.documents[row]
            shift = int(document["start"]) - int(self.ends[row] - document["tokens"])
            pieces.append(self._open(int(document["shard"])).tokens[begin + shift : stop + shift])
            begin = stop
        return np.concatenate(pieces)


def _fitting(tokens: npt.NDArray[np.int64], left: int | None) -> npt.NDArray[np.bool_]:
    """Which documents, taken in turn, fit into what is left; one that is too long is passed over."""
    chosen = np.ones(len(tokens), bool)
    if left is None:
        return chosen
    for row, size in enumerate(tokens.tolist()):
        chosen[row] = size <= left
        left -= size if size <= left else 0
    return chosen


def _records(facts: ShardFacts, place: int) -> npt.NDArray[Any]:
    shard = facts.open()
    records = shard.records()
    fields = [("language", "U16"), ("utf8_bytes", "<i8"), ("tokens", "<i8"), ("shard", "<i4"), ("start", "<i8")]
    documents = np.zeros(len(shard), fields)
    documents["language"] = np.array(facts.languages or ("und",))[records["language"]]
    documents["utf8_bytes"], documents["tokens"] = records["utf8_bytes"], shard.lengths
    documents["shard"], documents["start"] = place, np.cumsum(shard.lengths) - shard.lengths
    return documents
