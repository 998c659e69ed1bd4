"""Held-out documents cut into windows: packed or each by itself, blocked or sliding.

Blocked windows do not overlap, so a token at the beginning of one has little in front of it. Sliding ones overlap: each
predicts only its last `stride` tokens, and a token then has at least context - stride in front of it. The last window of
a document by itself reaches back to be full, as in lm-evaluation-harness. Losses of these ways are not to be compared, so
whatever shows a loss says which it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from trainer.data.validation import ValidationBatch

Ids = npt.NDArray[np.int64]


class HeldOut(Protocol):
    """Held-out text by domain as windows of token ids; `trainer.data.Validation` is one, `Windows` another."""

    @property
    def domains(self) -> list[str]: ...

    def documents(self, domain: str) -> npt.NDArray[Any]:
        """One record a document: language, utf8_bytes, and the tokens of it that are predicted."""

    def windows(self, domain: str) -> int: ...

    def batches(self, domain: str, size: int) -> Iterator[ValidationBatch]: ...


@dataclass(frozen=True)
class Piece:
    """A document: its language, its bytes of text, its ids int64 [tokens] without an end."""

    language: str
    utf8_bytes: int
    ids: Ids


@dataclass(frozen=True)
class Cut:
    """How documents become windows.

    start: the id in front of a first token; end: the id that ends a document, predicted if `ends`; packed: documents one
    after another, as in training; stride: tokens that a window predicts after the first, `context` is blocked.
    """

    start: int
    end: int
    context: int
    stride: int
    packed: bool
    ends: bool


class Windows:
    """Documents of each domain under a `Cut`, in memory."""

    def __init__(self, documents: Mapping[str, Sequence[Piece]], cut: Cut) -> None:
        self._pieces, self._cut = documents, cut
        self._streams = {domain: _streams(pieces, cut) for domain, pieces in documents.items()}
        self._places = {domain: _places(streams, cut) for domain, streams in self._streams.items()}

    @property
    def domains(self) -> list[str]:
        return list(self._pieces)

    def documents(self, domain: str) -> npt.NDArray[Any]:
        rows = [(piece.language, piece.utf8_bytes, len(piece.ids) + self._cut.ends) for piece in self._pieces[domain]]
        return np.array(rows, [("language", "U16"), ("utf8_bytes", "<i8"), ("tokens", "<i8")])

    def windows(self, domain: str) -> int:
        return len(self._places[domain])

    def batches(self, domain: str, size: int) -> Iterator[ValidationBatch]:
        """All windows, `size` at a time, each padded at its end."""
        places = self._places[domain]
        for first in range(0, len(places), size):
            yield self._batch(domain, places[first : first + size])

    def _batch(self, domain: str, places: Sequence[tuple[int, int, int, int]]) -> ValidationBatch:
        context = self._cut.context
        tokens = np.full((len(places), context + 1), self._cut.end, np.int64)
        document = np.full((len(places), context), -1, np.int64)
        mask = np.zeros((len(places), context), bool)
        for row, (number, begin, target, stop) in enumerate(places):
            ids, owner, counted = self._streams[domain][number]
            tokens[row, : stop - begin + 1] = ids[begin : stop + 1]
            document[row, : stop - begin] = owner[begin:stop]
            mask[row, target - begin : stop - begin] = counted[target:stop]
        return ValidationBatch(tokens, mask, document)


Stream = tuple[Ids, Ids, npt.NDArray[np.bool_]]
"""Ids [n + 1], the first of them the start; of each of the n targets: which document it belongs to, and whether it counts."""


def _streams(pieces: Sequence[Piece], cut: Cut) -> list[Stream]:
    parts = []
    for number, piece in enumerate(pieces):
        ids = np.append(piece.ids, cut.end) if cut.ends or cut.packed else piece.ids
        counted = np.ones(len(ids), bool)
        if cut.packed and not cut.ends:
            counted[-1] = False
        parts.append((ids, np.full(len(ids), number), counted))
    if cut.packed and parts:
        parts = [tuple(np.concatenate(column) for column in zip(*parts, strict=True))]  # type: ignore[list-item]
    return [(np.concatenate([[cut.start], ids]), owner, counted) for ids, owner, counted in parts]


def _places(streams: Sequence[Stream], cut: Cut) -> list[tuple[int, int, int, int]]:
    """(stream, begin, first target, end) of each window that predicts a token, counted in targets; it reads the ids begin ..
    end."""
    places = []
    for number, (_, owner, counted) in enumerate(streams):
        done, length = 0, len(owner)
        while done < length:
            stop = min(length, done + (cut.stride if done else cut.context))
            begin = done if cut.packed and cut.stride == cut.context else max(0, stop - cut.context)
            if counted[done:stop].any():
                places.append((number, begin, done, stop))
            done = stop
    return places
