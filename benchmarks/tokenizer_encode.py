"""MB/s of text to token shards on one core, unseen English, Chinese and code, beside `tokenizers` (--run, --file).

Ids are compared on every document that is encoded. Text that repeats flatters engines with a cache: each document is
encoded once.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._run_text import megabytes, read
from tokenizer.encode import Encoder
from tokenizer.shards import ShardWriter, dtype_for

_PUBLIC_PIPELINE = 3.2  # MB/s a core of a public pipeline's tokenizer stage, the better of the two measured


def main(arguments: list[str]) -> Iterator[dict[str, Any]]:
    parser = argparse.ArgumentParser(prog="tokenizer-encode", description=__doc__)
    parser.add_argument("--run", default="runs/demo", help="a run whose stage `extract` (or --stage) is done")
    parser.add_argument("--stage", default="extract", help="the stage whose kept documents are read")
    parser.add_argument("--file", default="", help="tokenizer.json; empty: the run's own")
    options = parser.parse_args(arguments)
    os.environ["RAYON_NUM_THREADS"] = "1"
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    json = Path(options.file or f"{options.run}/train_tokenizer/tokenizer.json").read_text(encoding="utf-8")
    _, held = read(options.run, options.stage, held_out=0.1)
    for kind in ("English", "Chinese", "Code"):
        if kind in held:
            yield measure(kind, held[kind], json)


def measure(kind: str, texts: list[str], json: str) -> dict[str, Any]:
    """Both engines on the same texts, in batches as the stage has them."""
    fast, slow = Encoder(json), Encoder(json, "tokenizers")
    batches = [texts[start : start + 500] for start in range(0, len(texts), 500)]
    size = megabytes(texts)
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        with ShardWriter(f"{folder}/shard", dtype_for(80_000)) as writer:
            for batch in batches:
                ids, lengths = fast.end_documents(*fast.encode(batch))
                sizes = np.array([len(text.encode()) for text in batch])
                writer.add_many(ids, lengths, ["und"] * len(batch), sizes)
        ours = size / (time.perf_counter() - began)
    began = time.perf_counter()
    reference = [slow.encode(batch) for batch in batches]
    theirs = size / (time.perf_counter() - began)
    equal = all(np.array_equal(fast.encode(batch)[0], ids) for batch, (ids, _) in zip(batches, reference, strict=True))
    line = {"name": f"tokenizer-encode.{kind.lower()}", "value": round(ours, 1), "unit": "MB/s", "megabytes": round(size, 2)}
    line |= {"reference": "tokenizers, one thread", "reference_value": round(theirs, 2), "ratio": round(ours / theirs, 1)}
    return {**line, "times_public_pipeline": round(ours / _PUBLIC_PIPELINE, 1), "engine": fast.engine, "ids_equal": equal}
