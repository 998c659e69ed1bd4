"""The endless token stream of one domain: epoch after epoch, each in an order of its own, read anywhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from core.hashing import key, permutation
from tokenizer.shards import DamagedShard, Shard
from trainer.data.token_data import ShardFacts

Ints = npt.NDArray[np.int64]

# Documents of an epoch come shard by shard, so only the shards at hand are open and have their order in memory.
_SHARDS_KEPT = 16
# Windows are shuffled within blocks of this many: a long book does not fill a batch, and reading stays local.
_BLOCK = 8192


class DomainStream:
    """Training windows of one domain.

    An epoch holds every document once: shards in an order drawn for (seed, domain, epoch), documents within a shard
    likewise. Epochs stand one after another; windows of `context` targets are cut from that stream without gaps, and
    numbered in an order shuffled within blocks. A window begins with the token before its first target (before the
    very first stands the end-of-document id). A block ends with its epoch, so the first floor(n x tokens / context)
    windows hold the targets of n epochs, each token at most n times; the few at an epoch's end that do not fill a window
    are targets of the next.
    """

    def __init__(self, name: str, shards: Sequence[ShardFacts], context: int, seed: int, eos: int) -> None:
        self.tokens = sum(shard.tokens for shard in shards)
        self._name, self._shards, self._context, self._seed, self._eos = name, shards, context, seed, eos
        self._open: Callable[[int], Shard] = lru_cache(maxsize=_SHARDS_KEPT)(self._open_shard)
        self._shard_order = lru_cache(maxsize=4)(self._order_of_shards)
        self._document_order = lru_cache(maxsize=_SHARDS_KEPT)(self._order_of_documents)
        self._window_order = lru_cache(maxsize=4)(self._order_of_windows)

    def window(self, number: int) -> npt.NDArray[Any]:
        """The number-th window of this domain: context + 1 token ids."""
        epoch = ((number + 1) * self._context - 1) // self.tokens  # that of its last target
        begin, end = (n * self.tokens // self._context for n in (epoch, epoch + 1))
        first = number - (number - begin) % _BLOCK
        place = first + int(self._window_order(first, min(_BLOCK, end - first))[number - first])
        if not place:
            return np.concatenate([[self._eos], self.read(0, self._context)])
        return self.read(place * self._context - 1, self._context + 1)

    def read(self, start: int, count: int) -> npt.NDArray[Any]:
        """`count` token ids from position `start` of the endless stream."""
        pieces: list[npt.NDArray[Any]] = []
        while count:
            epoch, at = divmod(start, self.tokens)
            shards, ends = self._shard_order(epoch)
            place = int(np.searchsorted(ends, at, side="right"))
            shard = int(shards[place])
            at -= int(ends[place - 1]) if place else 0
            taken = self._read_shard(epoch, shard, at, count, pieces)
            start, count = start + taken, count - taken
        return np.concatenate(pieces)

    def _read_shard(self, epoch: int, number: int, at: int, count: int, pieces: list[npt.NDArray[Any]]) -> int:
        """Appends up to `count` ids from position `at` of a shard in its epoch's order; returns how many there were."""
        shard = self._open(number)
        documents, ends = self._document_order(epoch, number)
        place = int(np.searchsorted(ends, at, side="right"))
        at -= int(ends[place - 1]) if place else 0
        taken = 0
        while taken < count and place < len(documents):
            piece = shard[int(documents[place])][at : at + count - taken]
            pieces.append(piece)
            taken += len(piece)
            place, at = place + 1, 0
        return taken

    def _open_shard(self, number: int) -> Shard:
        facts = self._shards[number]
        shard = facts.open()
        if len(shard.tokens) != facts.tokens:
            raise DamagedShard(
                f"{facts.path}: holds {len(shard.tokens):,} tokens, the manifest says {facts.tokens:,}; encode the shard again."
            )
        return shard

    def _order_of_shards(self, epoch: int) -> tuple[Ints, Ints]:
        order = permutation(len(self._shards), key(self._seed, self._name, epoch))
        return order, np.cumsum([self._shards[number].tokens for number in order])

    def _order_of_documents(self, epoch: int, shard: int) -> tuple[Ints, Ints]:
        lengths = self._open(shard).lengths
        order = permutation(len(lengths), key(self._seed, self._name, epoch, shard))
        return order, np.cumsum(lengths[order], dtype=np.int64)

    def _order_of_windows(self, first: int, count: int) -> Ints:
        return permutation(count, key(self._seed, self._name, "windows", first))
