"""The vocabulary: a sample of the resampled corpus in the proportions of the mix, drawn by content hash, and the merges.

Sampling is Spark's, merging the driver's: a vocabulary is made from about a gigabyte however large the corpus is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from core import storage
from core.config import ConfigError
from core.progress import Progress
from datapipe.config import TrainTokenizerConfig
from datapipe.mix.ranks import RANK_BITS, ranks
from datapipe.work import Batches, ShardTask, Work
from tokenizer.encode import Vocabulary
from tokenizer.train import TokenizerError, save, train

SAMPLE = pa.schema([("id", pa.string()), ("domain", pa.string()), ("language", pa.string()), ("text", pa.large_string())])


def train_tokenizer(work: Work) -> dict[str, Any]:
    """Writes tokenizer.json and tokenizer_config.json; facts: the vocabulary, and what was drawn by domain and language."""
    config: TrainTokenizerConfig = work.config
    before = work.inputs["resample"].require()
    bounds = sample_bounds(config.sample_bytes, before["mix"], before["by_domain"])
    work.emit("sample", partial(sample, bounds=bounds, seed=work.settings.seed), SAMPLE)
    files = [info.uri for info in storage.listing(work.directory.path("sample")) if info.uri.endswith(".parquet")]
    drawn = drawn_by(files)
    try:
        tokenizer = train(sample_texts(files, drawn["documents"]), config)
    except TokenizerError as error:
        raise ConfigError(str(error)) from error
    save(tokenizer, work.directory.uri)
    vocabulary = Vocabulary.read(work.directory.path("tokenizer.json"))
    return {"vocabulary": vocabulary.vocab_size, "sha256": vocabulary.sha256, "sample": drawn}


def sample_bounds(
    sample_bytes: int, mix: Mapping[str, Mapping[str, float]], by_domain: Mapping[str, Mapping[str, int]]
) -> dict[str, int]:
    """The rank below which a document is drawn, by domain, so that each gives its share of the bytes or all it has."""
    bounds = {}
    for domain, row in mix.items():
        held = by_domain.get(domain, {}).get("bytes_kept", 0)
        if held:
            bounds[domain] = min(1 << RANK_BITS, int(sample_bytes * row["proportion"] / held * (1 << RANK_BITS)))
    return bounds


def sample(batches: Batches, shard: ShardTask, bounds: Mapping[str, int], seed: int) -> Iterator[pa.RecordBatch]:
    """The documents of a shard that are drawn."""
    for batch in batches:
        found = ranks(batch.column("content_hash").to_numpy(), "train_tokenizer", seed).tolist()
        domains = batch.column("domain").to_pylist()
        chosen = [rank < bounds.get(domain, 0) for rank, domain in zip(found, domains, strict=True)]
        yield batch.select(SAMPLE.names).filter(pa.array(chosen, pa.bool_())).cast(SAMPLE)


def drawn_by(files: list[str]) -> dict[str, Any]:
    """Documents and bytes of the sample, in all and by domain and language."""
    drawn: dict[str, dict[str, dict[str, int]]] = {"by_domain": {}, "by_language": {}}
    for uri in files:
        for batch in _batches(uri):
            sizes = pc.binary_length(batch.column("text")).to_pylist()
            for name in ("domain", "language"):
                for value, size in zip(batch.column(name).to_pylist(), sizes, strict=True):
                    counts = drawn[f"by_{name}"].setdefault(value, {"documents": 0, "bytes": 0})
                    counts["documents"] += 1
                    counts["bytes"] += size
    total = {key: sum(counts[key] for counts in drawn["by_domain"].values()) for key in ("documents", "bytes")}
    return {**total, **{name: dict(sorted(table.items())) for name, table in drawn.items()}}


def sample_texts(files: list[str], documents: int) -> Iterator[str]:
    """The texts of the sample, file by file, with a progress display."""
    with Progress("train_tokenizer: reading the sample, then merging", documents, "document") as bar:
        for uri in files:
            for batch in _batches(uri):
                for text in batch.column("text"):
                    yield text.as_py()
                bar.advance(batch.num_rows)


def _batches(uri: str) -> Iterator[pa.RecordBatch]:
    with storage.open_uri(uri) as handle:
        yield from pq.ParquetFile(handle).iter_batches(1_000)
