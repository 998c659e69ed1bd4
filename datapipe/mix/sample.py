"""What the vocabulary is trained on, and what it is never trained on, so that its rates can be measured on unseen text.

Both are drawn by hash: windows of text by the content of their document, in the proportions of the mix; what is put aside by
near-duplicate cluster, or its near copies would be trained on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from core.hashing import mixed
from core.mix import domain_of
from datapipe.mix.holdout import cluster_keys
from datapipe.mix.ranks import RANK_BITS, ranks
from datapipe.mix.subdomains import entries

_ALL = 1 << RANK_BITS
_WINDOW = 20_000  # characters


@dataclass(frozen=True)
class Draw:
    """What is drawn: of each entry of the mix the windows below one rank, to train on; of each domain the clusters below
    another, put aside."""

    windows_below: Mapping[str, int]
    aside_below: Mapping[str, int]
    seed: int

    def aside(self, batch: pa.RecordBatch) -> npt.NDArray[np.bool_]:
        """Whether each document [n] is put aside."""
        clusters = cluster_keys(batch.column("cluster").to_pylist(), batch.column("id").to_pylist())
        below = np.array([self.aside_below.get(domain, 0) for domain in batch.column("domain").to_pylist()], np.uint64)
        return ranks(clusters, "aside", self.seed).astype(np.uint64) < below

    def windows(self, batch: pa.RecordBatch) -> Iterator[tuple[int, str]]:
        """The text of a batch that is trained on: (row, text).

        A document is drawn by its content hash; a long one is several windows, each drawn by itself, or one book more or
        less would be a tenth of a small sample.
        """
        texts = batch.column("text").to_pylist()
        parts = np.array([-(-len(text) // _WINDOW) or 1 for text in texts], np.int64)
        rows = np.repeat(np.arange(len(texts)), parts)
        numbers = np.arange(len(rows)) - np.repeat(np.cumsum(parts) - parts, parts)
        hashes = batch.column("content_hash").to_numpy()[rows] ^ mixed(numbers, 0).view(np.int64)
        below = np.array([self.windows_below.get(entry, 0) for entry in entries(batch)], np.uint64)
        drawn = (ranks(hashes, "train_tokenizer", self.seed).astype(np.uint64) < below[rows]) & ~self.aside(batch)[rows]
        for row, number in zip(rows[drawn].tolist(), numbers[drawn].tolist(), strict=True):
            yield row, texts[row][number * _WINDOW : (number + 1) * _WINDOW]


def aside_bounds(share: float, most: int, by_domain: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    """The rank below which clusters are put aside, by domain: a share of its text, but about `most` bytes of it at most."""
    held = {domain: counts["bytes_kept"] for domain, counts in by_domain.items() if counts.get("bytes_kept")}
    return {domain: int(min(share, most / size) * _ALL) for domain, size in held.items()}


def sample_bounds(
    sample_bytes: int,
    mix: Mapping[str, Mapping[str, float]],
    by_domain: Mapping[str, Mapping[str, int]],
    aside_below: Mapping[str, int],
) -> dict[str, int]:
    """The rank below which text is drawn, by entry of the mix, so that each gives its share of the bytes or all that it has.

    Bytes are counted by domain; of those of a domain in parts, each has as much as it has of the domain's tokens.
    """
    tokens: dict[str, float] = {}
    for entry, row in mix.items():
        tokens[domain_of(entry)] = tokens.get(domain_of(entry), 0) + row["selected_tokens"]
    bounds = {}
    for entry, row in mix.items():
        domain = domain_of(entry)
        held = by_domain.get(domain, {}).get("bytes_kept", 0) * (1 - aside_below.get(domain, 0) / _ALL)
        if held and row["selected_tokens"]:
            own = held * (row["selected_tokens"] / tokens[domain])
            bounds[entry] = min(_ALL, int(sample_bytes * row["proportion"] / own * _ALL))
    return bounds
