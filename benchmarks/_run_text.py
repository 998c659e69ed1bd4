"""Text of a finished run by kind, for the benchmarks of the tokenizer: what a stage kept, held-out documents apart."""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from core.hashing import key, mixed
from datapipe.mix.holdout import cluster_keys
from datapipe.mix.ranks import RANK_BITS, ranks
from datapipe.shards import read_kept
from tokenizer.compression import KINDS, WEIGHTS, kind_of
from tokenizer.config import TokenizerConfig
from tokenizer.train import TokenizerError, train

Texts = dict[str, list[str]]
HELD_OUT = 0.15  # of the documents; the same everywhere, so that one vocabulary serves all benchmarks


def arguments_of(name: str, about: str | None) -> argparse.ArgumentParser:
    """The arguments that the tokenizer's benchmarks share."""
    parser = argparse.ArgumentParser(prog=name, description=about)
    parser.add_argument("--run", default="runs/demo", help="a run whose stage `extract` (or --stage) is done")
    parser.add_argument("--stage", default="extract", help="the stage whose kept documents are read")
    parser.add_argument("--corpus", default="", help="not read: the corpus of the run was read when it was extracted")
    parser.add_argument("--vocabulary", type=int, default=80_000)
    parser.add_argument("--sample", type=float, default=150, metavar="MB", help="text to train on, at most")
    parser.add_argument("--file", default="", help="this tokenizer.json; empty: trained on the run's text but what is held out")
    return parser


def shards(run: str, stage: str) -> list[Path]:
    """The files of a stage. Ends the program where there are none."""
    folder = Path(run) / stage / "shards"
    if not folder.is_dir():
        raise SystemExit(f"error: {folder}: no such folder; run `make {stage} RUN={run} CORPUS=dir` first.")
    return sorted(folder.glob("*.parquet"))


def read(run: str, stage: str, held_out: float = HELD_OUT) -> tuple[Texts, Texts]:
    """(for training, held out): texts by kind, split by hash, near copies on one side, in the order of a second hash.

    Near copies are known from the stage `dedup_documents` on; before it, only texts that are the same.
    """
    train: dict[str, list[tuple[int, str]]] = {}
    held: dict[str, list[tuple[int, str]]] = {}
    for path in shards(run, stage):
        for batch in read_kept(str(path)):
            hashes = batch.column("content_hash").to_numpy()
            clusters = batch.column("cluster")
            known = cluster_keys(clusters.to_pylist(), batch.column("id").to_pylist())
            groups = np.where(clusters.is_valid().to_numpy(zero_copy_only=False), known, hashes)
            out = ranks(groups, "held out", 0) < int(held_out * (1 << RANK_BITS))
            order = mixed(hashes, key("order")).tolist()
            columns = (batch.column(name).to_pylist() for name in ("domain", "language", "text"))
            for row, (domain, language, text) in enumerate(zip(*columns, strict=True)):
                into = held if out[row] else train
                into.setdefault(kind_of(domain, language), []).append((order[row], text))
    return _ordered(train), _ordered(held)


def every_text(run: str, stage: str) -> Iterator[list[str]]:
    """All texts of a stage, of documents kept and removed, in lists of bounded size."""
    for path in shards(run, stage):
        for batch in pq.ParquetFile(path).iter_batches(500, columns=["text"]):
            yield [text for text in batch.column("text").to_pylist() if text]


def mixture(texts: Texts, weights: Mapping[str, float], size: int) -> Iterator[str]:
    """Texts of `size` bytes in all, each kind by its weight or all that there is of it."""
    for kind, group in texts.items():
        left = size * weights[kind]
        for text in group:
            if left <= 0:
                break
            left -= len(text.encode())
            yield text


def vocabulary(options: argparse.Namespace, training: Texts) -> str:
    """tokenizer.json: the file that was given, or one trained on this text in the report's proportions, once for each text."""
    if options.file:
        return Path(options.file).read_text(encoding="utf-8")
    sample = list(mixture(training, dict(zip(KINDS, WEIGHTS, strict=True)), int(options.sample * 1e6)))
    digest = hashlib.sha256()
    for text in sample:
        digest.update(text.encode())
    path = Path(options.run) / "benchmarks" / f"tokenizer-{options.vocabulary}-{digest.hexdigest()[:12]}.json"
    if not path.exists():
        print(f"training {options.vocabulary:,} entries on {megabytes(sample):.0f} MB: {path}", file=sys.stderr)
        path.parent.mkdir(exist_ok=True)
        try:
            path.write_text(train(sample, TokenizerConfig(vocabulary=options.vocabulary)).to_str(), encoding="utf-8")
        except TokenizerError as error:
            raise SystemExit(f"error: {error} (--vocabulary)") from error
    return path.read_text(encoding="utf-8")


def megabytes(texts: Sequence[str]) -> float:
    return sum(len(text.encode()) for text in texts) / 1e6


def _ordered(rows: dict[str, list[tuple[int, str]]]) -> Texts:
    return {kind: [text for _, text in sorted(rows[kind])] for kind in KINDS if kind in rows}
