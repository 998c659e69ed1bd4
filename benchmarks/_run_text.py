"""Text of a finished run by kind, for the benchmarks of the tokenizer: what a stage kept, held-out documents apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from core.hashing import key, mixed
from datapipe.mix.ranks import RANK_BITS, ranks
from datapipe.shards import read_kept

Texts = dict[str, list[str]]


def kind_of(domain: str, language: str) -> str:
    """The column of the report's Table 3 that a document belongs to."""
    by_domain = {"ClassicalChinese": "Classical Chinese", "Code": "Code", "Profession-Math": "Mathematical"}
    by_language = {"en": "English", "zh": "Chinese", "code": "Code"}
    return by_domain.get(domain) or by_language.get(language, "Multilingual")


def read(run: str, stage: str, held_out: float) -> tuple[Texts, Texts]:
    """(for training, held out): texts by kind, split by content hash, in the order of a second hash."""
    folder = Path(run) / stage / "shards"
    if not folder.is_dir():
        raise SystemExit(f"error: {folder}: no such folder; run `make {stage} RUN={run} CORPUS=dir` first.")
    train: dict[str, list[tuple[int, str]]] = {}
    held: dict[str, list[tuple[int, str]]] = {}
    for path in sorted(folder.glob("*.parquet")):
        for batch in read_kept(str(path)):
            hashes = batch.column("content_hash").to_numpy()
            out = ranks(hashes, "held out", 0) < int(held_out * (1 << RANK_BITS))
            order = mixed(hashes.view(np.uint64), key("order")).tolist()
            columns = (batch.column(name).to_pylist() for name in ("domain", "language", "text"))
            for row, (domain, language, text) in enumerate(zip(*columns, strict=True)):
                into = held if out[row] else train
                into.setdefault(kind_of(domain, language), []).append((order[row], text))
    return tuple({kind: [text for _, text in sorted(rows)] for kind, rows in split.items()} for split in (train, held))  # type: ignore[return-value]


def mixture(texts: Texts, weights: Mapping[str, float], size: int) -> Iterator[str]:
    """Texts of `size` bytes in all, each kind by its weight or all that there is of it."""
    for kind, group in texts.items():
        left = size * weights[kind]
        for text in group:
            if left <= 0:
                break
            left -= len(text.encode())
            yield text


def megabytes(texts: Sequence[str]) -> float:
    return sum(len(text.encode()) for text in texts) / 1e6
