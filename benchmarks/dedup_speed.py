"""Whole document dedup in Spark, in MB of text a second and core, on text made by perturbing real documents.

A document is cut from the corpus (6,000 characters, English and Chinese), and its words or characters are drawn anew with a
chance of its own: a third of the documents are copies with up to 1 % changed (near-duplicates), the others are changed by
half (new documents, that share no more than chance). Timed is the stage alone, from its documents on disk to its shards
written, without the start of Spark. The value is by wall-clock seconds times cores, so a neighbour on the machine counts
against it; `megabytes_per_cpu_second` is by the CPU time of the JVM and its Python workers.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks._one_stage import prepare
from benchmarks.minhash_speed import read_texts
from datapipe.config import DataConfig, ExtractConfig, SparkConfig
from datapipe.document import Document
from datapipe.stages.dedup_documents import dedup_documents

BAR = 2.0  # MB/s a core: the issue's; public pipelines reach 0.3 to 0.9


def main(arguments: list[str]) -> Iterator[dict[str, Any]]:
    parser = argparse.ArgumentParser(prog="dedup-speed", description=__doc__)
    parser.add_argument("--corpus", required=True, help="a folder with corpus/*.jsonl.zst")
    parser.add_argument("--megabytes", default="100", help="sizes to measure, such as 100,1000")
    parser.add_argument("--cores", type=int, default=2)
    options = parser.parse_args(arguments)
    for size in map(float, options.megabytes.split(",")):
        yield measure(Path(options.corpus), size, options.cores)


def measure(corpus: Path, megabytes: float, cores: int) -> dict[str, Any]:
    shards = max(2 * cores, round(megabytes / 32))
    spark = SparkConfig(master=f"local[{cores}]", partitions=max(2 * cores, shards // 2))
    settings = DataConfig(extract=ExtractConfig(shards=shards), spark=spark)
    with tempfile.TemporaryDirectory() as folder:
        work = prepare(folder, "dedup_documents", perturbed(corpus, megabytes), settings)
        work.session.range(1).collect()
        began, used = time.perf_counter(), cpu_seconds()
        facts = dedup_documents(work)
        seconds, used = time.perf_counter() - began, cpu_seconds() - used
        work.session.stop()
    size = facts["bytes_in"] / 1e6
    value = size / seconds / cores
    return {
        "name": f"dedup-speed.{megabytes:g}MB",
        "value": round(value, 3),
        "unit": "MB/s/core",
        "reference": "the issue's bar",
        "reference_value": BAR,
        "ratio": round(value / BAR, 3),
        "seconds": round(seconds, 1),
        "megabytes_per_cpu_second": round(size / used, 3),
        "documents": facts["in"],
        "removed": facts["removed"],
        **facts["near_duplicates"],
    }


def cpu_seconds() -> float:
    """CPU time so far of this process and all below it: driver, JVM, Python workers and those that have ended."""
    here = psutil.Process()
    return sum(sum(process.cpu_times()[:4]) for process in [here, *here.children(recursive=True)])


def perturbed(corpus: Path, megabytes: float) -> Iterator[Document]:
    """Documents of that many MB in all, half of the bytes English and half Chinese."""
    for language in ("en", "zh"):
        pieces = [_units(text, language) for text in read_texts(corpus, language, 8.0, 6000)]
        words = np.array(sorted({word for piece in pieces for word in piece}), dtype=object)
        draw = np.random.default_rng(5)
        size = number = 0
        while size < megabytes * 1e6 / 2:
            piece = pieces[number % len(pieces)]
            share = 0.01 * draw.random() if draw.random() < 1 / 3 else 0.5
            changed = np.flatnonzero(draw.random(len(piece)) < share)
            own = piece.copy()
            own[changed] = words[draw.integers(0, len(words), len(changed))]
            text = (" " if language == "en" else "").join(own)
            size += len(text.encode())
            yield Document(source=f"{language}.made", key=str(number), domain="WebText", language=language, text=text)
            number += 1


def _units(text: str, language: str) -> np.ndarray[Any, np.dtype[np.object_]]:
    return np.array(text.split(" ") if language == "en" else list(text), dtype=object)
