"""The vocabulary: a sample of the resampled corpus in the proportions of the mix, drawn by content hash, and the merges.

Spark cuts the sample into pieces and counts them; the driver merges. Only distinct pieces meet there, so the sample is not
limited by the memory that its text would take.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame

from core import storage
from core.config import ConfigError
from core.hashing import mixed
from core.progress import Progress
from datapipe.config import TrainTokenizerConfig
from datapipe.mix.ranks import RANK_BITS, ranks
from datapipe.mix.subdomains import domain_of
from datapipe.work import Batches, ShardTask, Work
from tokenizer.encode import Vocabulary
from tokenizer.merges import expected_cost
from tokenizer.pieces import Cutter, PieceCounts
from tokenizer.train import TokenizerError, save, train_on_pieces

DRAWN = pa.schema([("domain", pa.string()), ("language", pa.string()), ("documents", pa.int64()), ("bytes", pa.int64())])
PIECES = pa.schema([("piece", pa.string()), ("count", pa.int64())])
SUMMED = pa.schema([("piece", pa.large_binary()), ("count", pa.int64())])  # 64-bit offsets: one buffer holds all pieces
_WINDOW = 20_000  # characters
_FLUSH = 2_000_000  # distinct pieces that a task holds at most before it writes them


def train_tokenizer(work: Work) -> dict[str, Any]:
    """Writes tokenizer.json and tokenizer_config.json; facts: the vocabulary, and what was drawn by domain and language."""
    config: TrainTokenizerConfig = work.config
    seed = work.settings.seed
    before = work.inputs["resample"].require()
    bounds = sample_bounds(config.sample_bytes, before["mix"], before["by_domain"])
    drawn = drawn_by(work.emit("drawn", partial(drawn_rows, bounds=bounds, seed=seed), DRAWN))
    work.emit("pieces", partial(count_pieces, bounds=bounds, seed=seed, pattern=config.pattern), PIECES)
    pieces = summed([info.uri for info in storage.listing(work.directory.path("pieces"))])
    memory, seconds = expected_cost(len(pieces.data), config.vocabulary)
    label = f"train_tokenizer: merging, about {memory / 2**30:.1f} GiB and {seconds:.0f} s"
    try:
        with Progress(label, config.vocabulary, "entry") as bar:
            tokenizer = train_on_pieces(pieces, config, bar.reach)
    except TokenizerError as error:
        raise ConfigError(str(error)) from error
    save(tokenizer, work.directory.uri)
    vocabulary = Vocabulary.read(work.directory.path("tokenizer.json"))
    distinct = {"pieces": len(pieces.counts), "bytes": len(pieces.data)}
    return {"vocabulary": vocabulary.vocab_size, "sha256": vocabulary.sha256, "sample": drawn, "distinct": distinct}


def sample_bounds(
    sample_bytes: int, mix: Mapping[str, Mapping[str, float]], by_domain: Mapping[str, Mapping[str, int]]
) -> dict[str, int]:
    """The rank below which text is drawn, by domain, so that each gives its share of the bytes or all it has."""
    shares: dict[str, float] = {}
    for entry, row in mix.items():
        shares[domain_of(entry)] = shares.get(domain_of(entry), 0.0) + row["proportion"]
    bounds = {}
    for domain, share in shares.items():
        held = by_domain.get(domain, {}).get("bytes_kept", 0)
        if held:
            bounds[domain] = min(1 << RANK_BITS, int(sample_bytes * share / held * (1 << RANK_BITS)))
    return bounds


def windows(batch: pa.RecordBatch, bounds: Mapping[str, int], seed: int) -> Iterator[tuple[int, str]]:
    """The text of a batch that is in the sample: (row, text).

    A document is drawn by its content hash; a long one is several windows, each drawn by itself, or one book more or less
    would be a tenth of a small sample.
    """
    texts = batch.column("text").to_pylist()
    domains = batch.column("domain").to_pylist()
    parts = np.array([-(-len(text) // _WINDOW) or 1 for text in texts], np.int64)
    rows = np.repeat(np.arange(len(texts)), parts)
    numbers = np.arange(len(rows)) - np.repeat(np.cumsum(parts) - parts, parts)
    hashes = batch.column("content_hash").to_numpy()[rows] ^ mixed(numbers, 0).view(np.int64)
    below = np.array([bounds.get(domain, 0) for domain in domains], np.uint64)[rows]
    drawn = ranks(hashes, "train_tokenizer", seed).astype(np.uint64) < below
    for row, number in zip(rows[drawn].tolist(), numbers[drawn].tolist(), strict=True):
        yield row, texts[row][number * _WINDOW : (number + 1) * _WINDOW]


def drawn_rows(batches: Batches, shard: ShardTask, bounds: Mapping[str, int], seed: int) -> Iterator[pa.RecordBatch]:
    """What is drawn of a shard: documents and bytes by domain and language."""
    counts: dict[tuple[str, str], list[int]] = {}
    for batch in batches:
        domains, languages = (batch.column(name).to_pylist() for name in ("domain", "language"))
        last = -1
        for row, text in windows(batch, bounds, seed):
            entry = counts.setdefault((domains[row], languages[row]), [0, 0])
            entry[0] += row != last
            entry[1] += len(text.encode())
            last = row
    rows = [dict(zip(DRAWN.names, (*kind, *entry), strict=True)) for kind, entry in sorted(counts.items())]
    yield pa.RecordBatch.from_pylist(rows, schema=DRAWN)


def count_pieces(
    batches: Batches, shard: ShardTask, bounds: Mapping[str, int], seed: int, pattern: str
) -> Iterator[pa.RecordBatch]:
    """The pieces of the text drawn of a shard, with their counts."""
    cutter = Cutter(pattern)
    counter: Counter[str] = Counter()
    for batch in batches:
        counter.update(cutter.count(text for _, text in windows(batch, bounds, seed)))
        if len(counter) > _FLUSH:
            yield _piece_rows(counter)
            counter = Counter()
    yield _piece_rows(counter)


def _piece_rows(counter: Counter[str]) -> pa.RecordBatch:
    counts = np.fromiter(counter.values(), np.int64, len(counter))
    return pa.RecordBatch.from_arrays([pa.array(list(counter), pa.string()), pa.array(counts)], schema=PIECES)


def summed(files: list[str]) -> PieceCounts:
    """The counts of all shards added up, some files at a time, so that the driver holds little more than distinct pieces."""
    total = SUMMED.empty_table()
    waiting: list[pa.Table] = []
    for number, uri in enumerate(files, 1):
        with storage.open_uri(uri) as handle:
            waiting.append(pq.read_table(handle).cast(SUMMED))
        rows = sum(table.num_rows for table in waiting)
        if number == len(files) or rows > max(_FLUSH, total.num_rows):
            groups = pa.concat_tables([total, *waiting]).group_by("piece").aggregate([("count", "sum")])
            total, waiting = groups.rename_columns({"count_sum": "count"}).select(SUMMED.names), []
    if not total.num_rows:
        raise ConfigError("train_tokenizer: the sample holds no text; check the stage `resample`.")
    total = total.combine_chunks()
    pieces = total.column("piece").chunk(0)
    _, offsets, data = pieces.buffers()
    places = np.frombuffer(offsets, np.int64)[: len(pieces) + 1]
    return PieceCounts(np.frombuffer(data, np.uint8)[: int(places[-1])], places, total.column("count").to_numpy())


def drawn_by(rows: DataFrame) -> dict[str, Any]:
    """Documents and bytes of the sample, in all and by domain and by language."""
    drawn: dict[str, Any] = {"documents": 0, "bytes": 0, "by_domain": {}, "by_language": {}}
    for row in sorted(rows.collect()):
        by_domain = drawn["by_domain"].setdefault(row.domain, {"documents": 0, "bytes": 0})
        by_language = drawn["by_language"].setdefault(row.language, {"documents": 0, "bytes": 0})
        for counts in (drawn, by_domain, by_language):
            counts["documents"] += row.documents
            counts["bytes"] += row.bytes
    return drawn
