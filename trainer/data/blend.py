"""The order of training: domains mixed by weight, the same for any layout of the machine and any restart."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from trainer.data.interleave import Interleave
from trainer.data.stream import DomainStream
from trainer.data.token_data import TokenData

# Part of the mix's hash: raised when the order changes for the same (data, context, seed).
_ORDER_VERSION = 2


class Blend:
    """The n-th training sequence, as a function of (data, context, seed) alone; and, in a run whose mix was another before,
    of what it had read by then.

    A run that changes its layout must not change its data, or two layouts could not be compared and a resumed run would
    see some text twice. So nothing here knows of ranks, workers, batch sizes or a position reached: whoever trains asks
    for `sequences(start, count)` by the number of sequences since the beginning.

    data: what `encode` left; context: tokens a sequence; seed: draws the order of documents and windows.
    """

    def __init__(self, data: TokenData, context: int, seed: int) -> None:
        if context < 1:
            raise ValueError(f"context = {context} must be at least 1 token.")
        self.data = data
        self.context = context
        self.domains = [domain.name for domain in data.domains]
        self._interleave = Interleave([domain.proportion for domain in data.domains])
        self._streams = [DomainStream(domain.name, domain.train, context, seed, data.eos) for domain in data.domains]
        # Windows of each domain that the run had read beyond what this mix would have by then: zeros, unless it had another.
        self._before = np.zeros(len(self.domains), np.int64)
        self._others: dict[str, int] = {}  # windows read of domains that this mix has not
        self.hash = self._hash(seed)
        """Names this order; a checkpoint carries it, so that a run is not resumed with another mix unnoticed."""

    @property
    def weights(self) -> dict[str, float]:
        """Share of each domain, normalised (the report's column sums to 100.01 %)."""
        return dict(zip(self.domains, self._interleave.weights.tolist(), strict=True))

    def go_on(self, sequences: int, read: Mapping[str, int]) -> None:
        """Enters the order after `sequences` of the run: each domain goes on at the window after those that were `read` of it,
        whatever the mix was, so nothing is passed over and nothing comes before its time."""
        counts = self._interleave.counts(sequences)
        self._before = np.array([read.get(name, 0) for name in self.domains], np.int64) - counts
        self._others = {name: windows for name, windows in read.items() if name not in self.domains}

    def read(self, sequences: int) -> dict[str, int]:
        """Windows of each domain that the run's first so many sequences hold; those of earlier mixes, if this one was entered
        by `go_on`, included."""
        counts = self._interleave.counts(sequences) + self._before
        return {**self._others, **dict(zip(self.domains, counts.tolist(), strict=True))}

    def sequences(self, start: int, count: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Sequences number start .. start + count of the run.

        Returns token ids [count, context + 1] (inputs are [:, :-1], targets [:, 1:]) and the domain of each [count], an
        index into `domains`. Documents end with the end-of-document id, which nothing else can yield: see `segments`.
        """
        domains, numbers = self._interleave.take(start, count)
        numbers = numbers + self._before[domains]
        tokens = np.empty((count, self.context + 1), np.int64)
        for row, (domain, number) in enumerate(zip(domains.tolist(), numbers.tolist(), strict=True)):
            tokens[row] = self._streams[domain].window(number)
        return tokens, domains

    def epochs(self, sequences: int) -> dict[str, float]:
        """How often a run of this many sequences goes through the training text of each domain."""
        windows = self.read(sequences)
        return {
            name: float(windows[name]) * self.context / stream.tokens
            for name, stream in zip(self.domains, self._streams, strict=True)
        }

    def beyond(self, sequences: int) -> list[str]:
        """The domains that a run of this many sequences goes through more often than the mix allows, with both numbers."""
        allowed = {domain.name: domain.epochs for domain in self.data.domains}
        return [
            f"{name} {epochs:.2f} times ({allowed[name]:g} in the mix)"
            for name, epochs in self.epochs(sequences).items()
            if epochs > allowed[name] * (1 + 1e-9)
        ]

    def _hash(self, seed: int) -> str:
        basis = {
            "order": _ORDER_VERSION,
            "seed": seed,
            "context": self.context,
            "tokenizer": self.data.tokenizer_sha256,
            "domains": [
                [domain.name, domain.proportion, [[shard.tokens, dict(shard.sha256)] for shard in domain.train]]
                for domain in self.data.domains
            ],
        }
        return hashlib.sha256(json.dumps(basis, sort_keys=True).encode()).hexdigest()[:16]


def segments(tokens: npt.NDArray[np.int64], eos: int) -> npt.NDArray[np.int32]:
    """Which document of its sequence each token belongs to, from 0: [count, length] -> int32 [count, length].

    The end-of-document id belongs to the document that it ends. A mask that keeps attention within documents follows
    from these numbers; they are what travels between pipeline stages, and not a dense mask.
    """
    ends = (tokens == eos).astype(np.int32)
    numbers: npt.NDArray[np.int32] = np.cumsum(ends, axis=1, dtype=np.int32) - ends
    return numbers
