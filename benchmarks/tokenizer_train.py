"""Seconds and peak memory of training a vocabulary, beside the `tokenizers` library called plainly (--run, --kind).

Each runs in a process of its own on the same text of a finished run, and the two vocabularies are compared.
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
from typing import Any

from benchmarks._run_text import megabytes, mixture, read
from tokenizer.compression import KINDS, WEIGHTS
from tokenizer.config import TokenizerConfig
from tokenizer.train import TokenizerError, train, train_by_library


def main(arguments: list[str]) -> Iterator[dict[str, Any]]:
    parser = argparse.ArgumentParser(prog="tokenizer-train", description=__doc__)
    parser.add_argument("--run", default="runs/demo", help="a run whose stage `extract` (or --stage) is done")
    parser.add_argument("--stage", default="extract", help="the stage whose kept documents are read")
    parser.add_argument("--vocabulary", type=int, default=80_000)
    parser.add_argument("--megabytes", type=float, default=80)
    parser.add_argument("--kind", default="", help="one kind of text alone, such as Chinese; empty: the mixture")
    parser.add_argument("--limit", type=float, default=1800, help="seconds after which the library is given up")
    parser.add_argument("--child", default="", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.child:
        yield _measure(options)
        return
    results = {}
    environment = {**os.environ, "RAYON_NUM_THREADS": "1"}
    for who in ("ours", "library"):
        command = [sys.executable, "-m", "benchmarks", "tokenizer-train", *arguments, "--child", who]
        try:
            limits: Any = {"check": True, "timeout": options.limit}
            done = subprocess.run(command, **limits, stdout=subprocess.PIPE, text=True, env=environment)
            results[who] = json.loads(done.stdout)
        except subprocess.TimeoutExpired:
            results[who] = {"seconds": None, "gigabytes": None, "sha256": None}
    name = f"tokenizer-train{'.' + options.kind.lower() if options.kind else ''}"
    mine, theirs = results["ours"], results["library"]
    for figure, unit in (("seconds", "s"), ("gigabytes", "GB")):
        line = {"name": f"{name}.{figure}", "value": mine[figure], "unit": unit, "reference": "tokenizers, one thread"}
        ratio = round(mine[figure] / theirs[figure], 3) if theirs[figure] else None
        yield {**line, "reference_value": theirs[figure], "ratio": ratio, "megabytes": mine["megabytes"]}
    same = mine["sha256"] == theirs["sha256"] if theirs["sha256"] else f"unknown: the library took over {options.limit:.0f} s"
    line = {"name": f"{name}.same-file", "value": same, "unit": "", "reference": "tokenizers"}
    yield {**line, "reference_value": True, "ratio": None}


def _measure(options: argparse.Namespace) -> dict[str, Any]:
    training, _ = read(options.run, options.stage, held_out=0.1)
    weights = dict(zip(KINDS, WEIGHTS, strict=True))
    if options.kind:
        training, weights = {options.kind: training[options.kind]}, {options.kind: 1.0}
    texts = list(mixture(training, weights, int(options.megabytes * 1e6)))
    size = megabytes(texts)
    del training
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    try:
        config = TokenizerConfig(vocabulary=options.vocabulary)
        tokenizer = train(texts, config) if options.child == "ours" else train_by_library(texts, config)
    except TokenizerError as error:
        raise SystemExit(f"error: {error}") from error
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    digest = hashlib.sha256(tokenizer.to_str().encode()).hexdigest()
    return {"seconds": round(seconds, 1), "gigabytes": round(peak / 1e6, 3), "text_gigabytes": round(before / 1e6, 3),
            "megabytes": round(size, 1), "sha256": digest}  # fmt: skip
