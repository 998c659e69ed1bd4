"""What a stage kept, as files for others: JSON lines (zstd) or Parquet, a file a shard, each written aside and renamed.

The fields are those of the record (`datapipe/document.py`) that a reader of text needs; the source `records` or `parquet` reads
them back with `domain_field: domain, language_field: language, key_field: id`. The folder names the stage's fingerprint, so a
second call writes only what is missing, and a folder with other documents is refused.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard
from pyspark.sql import SparkSession

from core import storage
from core.config import ConfigError
from core.run import Run, StageDirectory
from datapipe.config import DataConfig
from datapipe.document import SCHEMA
from datapipe.shards import read_kept, shard_name
from datapipe.spark import watched

Form = Literal["jsonl", "parquet"]
FIELDS = ("id", "text", "domain", "language", "source", "url", "date", "title", "quality", "metadata")
ENDINGS = {"jsonl": "jsonl.zst", "parquet": "parquet"}
MANIFEST = "manifest.json"


def write_stage(config: DataConfig, name: str, form: Form, target: str, session: Callable[[], SparkSession]) -> str:
    """Writes what the stage `name` of a run kept; returns a line about it."""
    stage = Run(config.run).stage(name)
    stage.require()
    target = target or storage.join(config.run, "written", f"{name}-{form}")
    made = write(session(), stage, target, form)
    return f"write: {made['documents']} documents in {len(made['files'])} files below {target}"


def write(session: SparkSession, stage: StageDirectory, target: str, form: Form) -> dict[str, Any]:
    """Writes the kept documents of a finished stage below `target`; returns what the manifest there says."""
    facts = stage.require()
    shards = sum(info.uri.endswith(".parquet") for info in storage.listing(stage.path("shards")))
    if "kept" not in facts or not shards:
        raise ConfigError(f"write: the stage {stage.name} holds no documents; name one from extract to resample.")
    about = {"stage": stage.name, "fingerprint": facts["fingerprint"], "form": form, "documents": facts["kept"]}
    began = storage.join(target, "began.json")
    if storage.exists(began) and storage.read_json(began) != about:
        raise ConfigError(f"write: {target} holds documents of another run, stage or form; give an empty folder.")
    storage.write_json(began, about)
    names = [f"{index:05d}.{ENDINGS[form]}" for index in range(shards)]
    there = {info.uri.rsplit("/", 1)[-1] for info in storage.listing(target)}
    missing = [index for index, name in enumerate(names) if name not in there]
    if missing:
        task = partial(_write_shard, source=stage.path("shards"), target=target, form=form)
        with watched(session, f"write: {stage.name}"):
            session.sparkContext.parallelize(missing, len(missing)).foreach(task)
    manifest = {**about, "files": names}
    storage.write_json(storage.join(target, MANIFEST), manifest)
    return manifest


def _write_shard(index: int, source: str, target: str, form: Form) -> None:
    batches = (batch.select(list(FIELDS)) for batch in read_kept(storage.join(source, shard_name(index))))
    with storage.aside(storage.join(target, f"{index:05d}.{ENDINGS[form]}")) as path:
        if form == "parquet":
            _write_parquet(path, batches)
        else:
            _write_lines(path, batches)


def _write_parquet(path: str, batches: Iterable[pa.RecordBatch]) -> None:
    with pq.ParquetWriter(path, pa.schema([SCHEMA.field(name) for name in FIELDS]), compression="zstd") as writer:
        for batch in batches:
            writer.write_batch(batch)


def _write_lines(path: str, batches: Iterable[pa.RecordBatch]) -> None:
    """One JSON object a line, in UTF-8; fields without a value are left out."""
    with open(path, "wb") as handle, zstandard.ZstdCompressor(level=6).stream_writer(handle, closefd=False) as stored:
        lines = io.TextIOWrapper(stored, "utf-8", newline="\n")
        for batch in batches:
            for row in batch.to_pylist():
                row["metadata"] = dict(row["metadata"] or ())
                given = {name: value for name, value in row.items() if value is not None and value != {}}
                lines.write(f"{json.dumps(given, ensure_ascii=False)}\n")
        lines.flush()
        lines.detach()
