"""The extracted documents of a corpus, for benchmarks of rules: those of a run, or extracted here in this process."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from core import storage
from core.config import load
from core.line import foreign
from datapipe.config import DataConfig
from datapipe.document import to_batch
from datapipe.shards import read_kept
from datapipe.sources.inputs import find
from datapipe.sources.reading import documents

CONFIG = Path(__file__).resolve().parent.parent / "configs" / "demo-corpus.yaml"
_BATCH = 500


def arguments(name: str, description: str | None) -> argparse.ArgumentParser:
    """Options that say which documents: --run (whose extract stage is done) or --corpus with --only."""
    parser = argparse.ArgumentParser(prog=name, description=description)
    parser.add_argument("--corpus", help="a folder in the layout of configs/demo-corpus.yaml")
    parser.add_argument("--run", help="a run whose extract stage is done, in place of extracting the corpus here")
    parser.add_argument("--only", default="", help="files of the corpus whose path begins so, as warc/ or domains/QA")
    return parser


def settings() -> DataConfig:
    return load(CONFIG, [], DataConfig, foreign("datapipe"))


def batches(options: argparse.Namespace) -> Iterator[pa.RecordBatch]:
    """Documents that extract keeps, in the form of the pipeline's own batches."""
    if options.run:
        shards = storage.listing(storage.join(options.run, "extract", "shards"))
        if not shards:
            raise SystemExit(f"error: {options.run}/extract/shards: holds no shard; run `make extract` on it first.")
        for info in shards:
            yield from (batch for batch in read_kept(info.uri) if batch.num_rows)
        return
    if not options.corpus:
        raise SystemExit("error: no documents were named; give --run RUN (extracted), or a corpus with CORPUS=dir.")
    config = settings().extract
    for file, rule in find(config, options.corpus, must_exist=True):
        if file.path.startswith(options.only):
            kept = [document for document in documents(file, rule, config) if document.verdict is None]
            for start in range(0, len(kept), _BATCH):
                yield to_batch(kept[start : start + _BATCH])
