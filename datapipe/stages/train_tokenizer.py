"""The vocabulary: a sample of the resampled corpus in the proportions of the mix, drawn by content hash, and the merges.

Spark cuts the sample into pieces and counts them; the driver merges. Only distinct pieces meet there, so the sample is not
limited by the memory that its text would take.
"""

from __future__ import annotations

import os
import resource
import sys
from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame

from core import storage
from core.config import ConfigError
from core.progress import Progress
from datapipe.config import TrainTokenizerConfig
from datapipe.mix.sample import Draw, aside_bounds, sample_bounds
from datapipe.shards import shard_name, write_table
from datapipe.work import Batches, ShardTask, Work
from tokenizer.encode import Vocabulary
from tokenizer.given import take
from tokenizer.merges import expected_cost
from tokenizer.pieces import Cutter, PieceCounts
from tokenizer.train import TokenizerError, save, train_on_pieces

DRAWN = pa.schema([("domain", pa.string()), ("language", pa.string()), ("documents", pa.int64()), ("bytes", pa.int64())])
UNSEEN = pa.schema([("domain", pa.string()), ("language", pa.string()), ("text", pa.large_string())])
PIECES = pa.schema([("piece", pa.string()), ("count", pa.int64())])
SUMMED = pa.schema([("piece", pa.large_binary()), ("count", pa.int64())])  # 64-bit offsets: one buffer holds all pieces
_FLUSH = 2_000_000  # distinct pieces that a task holds at most before it writes them


def train_tokenizer(work: Work) -> dict[str, Any]:
    """Writes tokenizer.json and tokenizer_config.json; facts: the vocabulary, and what was drawn by domain and language."""
    config: TrainTokenizerConfig = work.config
    if config.path:
        return _published(config, work.directory.uri)
    before = work.inputs["resample"].require()
    aside = aside_bounds(config.unseen, config.unseen_bytes, before["by_domain"])
    bounds = sample_bounds(config.sample_bytes, before["mix"], before["by_domain"], aside)
    draw = Draw(bounds, aside, work.settings.seed)
    drawn = drawn_by(work.emit("drawn", partial(drawn_rows, draw=draw), DRAWN))
    announce("sample", drawn["bytes"], config.vocabulary, "at most ")
    unseen = work.directory.path("unseen")
    work.emit("pieces", partial(count_pieces, draw=draw, pattern=config.pattern, unseen=unseen), PIECES)
    pieces = summed([info.uri for info in storage.listing(work.directory.path("pieces"))])
    memory, seconds = announce("distinct pieces", len(pieces.data), config.vocabulary)
    try:
        with Progress("train_tokenizer: merging", config.vocabulary, "entry") as bar:
            tokenizer = train_on_pieces(pieces, config, lambda entries: bar.reach(entries, note=_peak()))
    except TokenizerError as error:
        raise ConfigError(str(error)) from error
    save(tokenizer, work.directory.uri)
    vocabulary = Vocabulary.read(work.directory.path("tokenizer.json"))
    distinct = {"pieces": len(pieces.counts), "bytes": len(pieces.data)}
    expected = {"memory_bytes": memory, "seconds": round(seconds, 1)}
    about = {"vocabulary": vocabulary.vocab_size, "sha256": vocabulary.sha256}
    return {**about, "sample": drawn, "distinct": distinct, "expected": expected}


def _published(config: TrainTokenizerConfig, folder: str) -> dict[str, Any]:
    """The same files from a tokenizer that others trained."""
    try:
        vocabulary = take(config.path, config.control, folder)
    except TokenizerError as error:
        raise ConfigError(str(error)) from error
    return {"vocabulary": vocabulary.vocab_size, "sha256": vocabulary.sha256, "published": config.path}


def announce(what: str, size: int, vocabulary: int, bound: str = "") -> tuple[int, float]:
    """Says what merging will take, before it begins: (bytes of memory at the peak, seconds on one core).

    Raises ConfigError where it is certain to take more than this machine has.
    """
    memory, seconds = expected_cost(size, vocabulary)
    have = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if memory > have and not bound:
        raise ConfigError(
            f"train_tokenizer: merging {size / 1e6:,.0f} MB of distinct pieces takes about {memory / 2**30:.0f} GiB in the "
            f"driver, and this machine has {have / 2**30:.0f}; lower train_tokenizer.sample_bytes to "
            f"{have / memory:.0%} of what it is."
        )
    print(
        f"train_tokenizer: {size / 1e6:,.1f} MB of {what}: merging takes {bound}about {memory / 2**30:.1f} GiB in the driver "
        f"and {seconds:.0f} s",
        file=sys.stderr,
        flush=True,
    )
    return memory, seconds


def _peak() -> str:
    """The most memory that this process held so far, in words."""
    unit = 1 if sys.platform == "darwin" else 1024
    return f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**30:.1f} GiB at the peak"


def drawn_rows(batches: Batches, shard: ShardTask, draw: Draw) -> Iterator[pa.RecordBatch]:
    """What is drawn of a shard: documents and bytes by domain and language."""
    counts: dict[tuple[str, str], list[int]] = {}
    for batch in batches:
        domains, languages = (batch.column(name).to_pylist() for name in ("domain", "language"))
        last = -1
        for row, text in draw.windows(batch):
            entry = counts.setdefault((domains[row], languages[row]), [0, 0])
            entry[0] += row != last
            entry[1] += len(text.encode())
            last = row
    rows = [dict(zip(DRAWN.names, (*kind, *entry), strict=True)) for kind, entry in sorted(counts.items())]
    yield pa.RecordBatch.from_pylist(rows, schema=DRAWN)


def count_pieces(batches: Batches, shard: ShardTask, draw: Draw, pattern: str, unseen: str) -> Iterator[pa.RecordBatch]:
    """The pieces of the text drawn of a shard, with their counts; what is put aside is written below `unseen` before them."""
    cutter = Cutter(pattern)
    counter: Counter[str] = Counter()
    aside: list[pa.RecordBatch] = []
    for batch in batches:
        aside.append(batch.select(UNSEEN.names).filter(pa.array(draw.aside(batch))).cast(UNSEEN))
        counter.update(cutter.count(text for _, text in draw.windows(batch)))
        if len(counter) > _FLUSH:
            yield _piece_rows(counter)
            counter = Counter()
    write_table(storage.join(unseen, shard_name(shard.index)), UNSEEN, aside)
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
