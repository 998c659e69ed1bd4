"""MB/s of documents to token shards on one core, unseen English, Chinese and code, beside `tokenizers` (--run, --file).

The stage's own function is timed, from a shard of documents as it lies on disk to token shards with their checksums, in a
process that is held to one core and has made its engines before, as a Spark worker has after its first task. Seconds are
those of the core, so that what else the machine does counts little; `on_the_clock` is with everything. Text that repeats
flatters engines with a cache: nothing is encoded twice, and the engine alone is timed in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._run_text import arguments_of, megabytes, read, vocabulary
from datapipe.document import Document, to_batch
from datapipe.mix.holdout import Holdout
from datapipe.shards import read_kept, write_shard
from datapipe.stages.encode import EncodeTask, encode_shard
from datapipe.work import ShardTask
from tokenizer.encode import Encoder, Vocabulary, one_thread
from tokenizer.shards import Shard

_PUBLIC_PIPELINE = 3.2  # MB/s a core of a public pipeline's tokenizer stage, the better of the two measured
_BAR = 25.0
_KINDS = ("English", "Chinese", "Code")


def main(arguments: list[str]) -> Iterator[dict[str, Any]]:
    parser = arguments_of("tokenizer-encode", __doc__)
    parser.add_argument("--megabytes", type=float, default=40, help="text of each kind, at most")
    parser.add_argument("--plain", type=float, default=4, metavar="MB", help="text that `tokenizers` encodes")
    parser.add_argument("--repeats", type=int, default=3, help="new processes, of which the fastest counts")
    parser.add_argument(
        "--held-out", type=float, default=0.5, help="share of the documents that is measured and not trained on"
    )
    parser.add_argument("--child", default="", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.child:
        yield _timed(options.child, options.run, options.file)
        return
    training, held = read(options.run, options.stage, options.held_out)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "tokenizer.json"
        file.write_text(vocabulary(options, training), encoding="utf-8")
        del training
        for kind in _KINDS:
            if held.get(kind):
                texts = _upto(held.pop(kind), options.megabytes)
                yield _measure(kind, texts, str(file), options.plain, options.repeats)


def _upto(texts: list[str], size: float) -> list[str]:
    ends = np.cumsum([len(text.encode()) for text in texts])
    return texts[: int(np.searchsorted(ends, size * 1e6)) + 1]


def _measure(kind: str, texts: list[str], file: str, plain: float, repeats: int) -> dict[str, Any]:
    size = megabytes(texts)
    with tempfile.TemporaryDirectory() as folder:
        documents = [Document("unseen", f"{number:09d}", "WebText", text, "und") for number, text in enumerate(texts)]
        write_shard(f"{folder}/first.parquet", [to_batch([Document("first", "0", "WebText", "A first task.", "en")])])
        write_shard(f"{folder}/shard.parquet", [to_batch(documents[at : at + 500]) for at in range(0, len(documents), 500)])
        stage, engine = (_fastest(part, folder, file, repeats) for part in ("stage", "engine"))
        slow, equal = _plain(
            texts, plain, Path(file).read_text(encoding="utf-8"), Shard(f"{folder}/tokens/WebText/train-00000")
        )
    speed = size / stage["seconds"]
    reached = speed >= max(_BAR, 8 * _PUBLIC_PIPELINE)
    line = {"name": f"tokenizer-encode.{kind.lower()}", "value": round(speed, 1), "unit": "MB/s", "bar": _BAR}
    line |= {
        "met": reached,
        "on_the_clock": round(size / stage["clock"], 1),
        "reference": "tokenizers, one thread",
        "reference_value": round(slow, 2),
    }
    line |= {"ratio": round(speed / slow, 1), "times_public_pipeline": round(speed / _PUBLIC_PIPELINE, 1)}
    line |= {"engine": stage["engine"], "ids_equal": equal, "megabytes": round(size, 1), "engines_made_in": stage["made"]}
    return {**line, "engine_alone": round(size / engine["seconds"], 1), "reading_alone": round(size / engine["read"], 1)}


def _fastest(part: str, folder: str, file: str, repeats: int) -> dict[str, Any]:
    """The fastest of some new processes: other work on the machine takes from the caches that cores share."""
    return min((_in_child(part, folder, file) for _ in range(repeats)), key=lambda found: float(found["seconds"]))


def _in_child(part: str, folder: str, file: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks", "tokenizer-encode", "--child", part, "--run", folder, "--file", file]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return dict(json.loads(done.stdout))


def _timed(part: str, folder: str, file: str) -> dict[str, Any]:
    """In the child: seconds of the whole stage, or of reading and of the engine apart."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    one_thread()
    if part == "engine":
        began = time.process_time()
        batches = [batch.column("text").to_pylist() for batch in read_kept(f"{folder}/shard.parquet")]
        read_in = time.process_time() - began
        encoder = Encoder(Path(file).read_text(encoding="utf-8"))
        began = time.process_time()
        for texts in batches:
            encoder.encode(texts)
        return {"read": read_in, "seconds": time.process_time() - began}
    task = EncodeTask(file, Vocabulary.read(file), "auto", Holdout(0.0, 0), f"{folder}/tokens")
    seconds = []
    for name in ("first", "shard"):
        began, clock = time.process_time(), time.perf_counter()
        [rows] = encode_shard(read_kept(f"{folder}/{name}.parquet"), ShardTask(0, 1), task)
        seconds.append(time.process_time() - began)
    entry = json.loads(rows.column("facts")[0].as_py())
    return {
        "made": round(seconds[0], 2),
        "seconds": seconds[1],
        "clock": time.perf_counter() - clock,
        "engine": entry["engine"],
    }


def _plain(texts: list[str], size: float, tokenizer: str, shard: Shard) -> tuple[float, bool]:
    """MB/s of `tokenizers` on the first texts, and whether its ids are those in the shard."""
    one_thread()
    encoder = Encoder(tokenizer, "tokenizers")
    some = _upto(texts, size)
    began = time.process_time()
    ids, lengths = encoder.encode(some)
    seconds = time.process_time() - began
    ends = np.cumsum(lengths)
    pairs = zip(ends - lengths, ends, strict=True)
    equal = all(np.array_equal(ids[first:last], shard[row][:-1]) for row, (first, last) in enumerate(pairs))
    return megabytes(some) / seconds, equal
