"""Seconds and peak memory of training a vocabulary, beside the `tokenizers` library called plainly (--run, --kind).

Each runs in a process of its own on the same text of a finished run (--sample at most), and the two vocabularies are
compared. `expected` is what was predicted before merging began, `merging` what that took.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks._run_text import arguments_of, megabytes, mixture, read
from tokenizer.compression import KINDS, WEIGHTS
from tokenizer.config import TokenizerConfig
from tokenizer.merges import expected_cost
from tokenizer.pieces import Cutter, PieceCounts
from tokenizer.train import TokenizerError, train_by_library, train_on_pieces


def main(arguments: list[str]) -> Iterator[dict[str, Any]]:
    parser = arguments_of("tokenizer-train", __doc__)
    parser.add_argument("--kind", default="", help="one kind of text alone, such as Chinese; empty: the mixture")
    parser.add_argument("--limit", type=float, default=1800, help="seconds after which the library is given up; 0: left out")
    parser.add_argument("--child", default="", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.child:
        yield _measure(options)
        return
    results = {}
    environment = {**os.environ, "RAYON_NUM_THREADS": "1"}
    for who in ("ours", "library") if options.limit else ("ours",):
        command = [sys.executable, "-m", "benchmarks", "tokenizer-train", *arguments, "--child", who]
        try:
            limit = options.limit if who == "library" else None
            done = subprocess.run(command, check=True, timeout=limit, stdout=subprocess.PIPE, text=True, env=environment)
            results[who] = json.loads(done.stdout)
        except subprocess.TimeoutExpired:
            pass
    name = f"tokenizer-train{'.' + options.kind.lower() if options.kind else ''}"
    mine, theirs = results["ours"], results.get("library", dict.fromkeys(("seconds", "gigabytes", "sha256")))
    for figure, unit in (("seconds", "s"), ("gigabytes", "GB")):
        line = {"name": f"{name}.{figure}", "value": mine[figure], "unit": unit, "reference": "tokenizers, one thread"}
        ratio = round(mine[figure] / theirs[figure], 3) if theirs[figure] else None
        more = {name: mine[f"{name}_{figure}"] for name in ("merging", "expected")} | {"megabytes": mine["megabytes"]}
        yield {**line, "reference_value": theirs[figure], "ratio": ratio, **more}
    unknown = f"unknown: the library took over {options.limit:.0f} s" if options.limit else "unknown: the library was left out"
    same = mine["sha256"] == theirs["sha256"] if theirs["sha256"] else unknown
    line = {"name": f"{name}.same-file", "value": same, "unit": "", "reference": "tokenizers"}
    yield {**line, "reference_value": True, "ratio": None}


def _measure(options: argparse.Namespace) -> dict[str, Any]:
    training, _ = read(options.run, options.stage, held_out=0.0)
    weights = dict(zip(KINDS, WEIGHTS, strict=True))
    if options.kind:
        if options.kind not in training:
            raise SystemExit(f"error: --kind {options.kind}: the run has no such text; it has {', '.join(training)}.")
        training, weights = {options.kind: training[options.kind]}, {options.kind: 1.0}
    texts = list(mixture(training, weights, int(options.sample * 1e6)))
    del training
    facts: dict[str, Any] = {"megabytes": round(megabytes(texts), 1), "text_gigabytes": round(_peak(), 3)}
    config = TokenizerConfig(vocabulary=options.vocabulary)
    began = time.perf_counter()
    try:
        if options.child == "ours":
            pieces = PieceCounts.of(Cutter(config.pattern).count(texts))
            counted, before = time.perf_counter(), _held()
            memory, seconds = expected_cost(len(pieces.data), config.vocabulary)
            facts |= {"expected_gigabytes": round(memory / 1e9, 3), "expected_seconds": round(seconds, 1)}
            tokenizer = train_on_pieces(pieces, config)
            facts |= {
                "merging_gigabytes": round(_peak() - before, 3),
                "merging_seconds": round(time.perf_counter() - counted, 1),
            }
        else:
            tokenizer = train_by_library(texts, config)
    except TokenizerError as error:
        raise SystemExit(f"error: {error}") from error
    digest = hashlib.sha256(tokenizer.to_str().encode()).hexdigest()
    return facts | {"seconds": round(time.perf_counter() - began, 1), "gigabytes": round(_peak(), 3), "sha256": digest}


def _held() -> float:
    """GB that this process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e9


def _peak() -> float:
    """GB that this process held at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
