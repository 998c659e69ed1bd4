"""Whole document dedup in Spark, in MB of text a second and core, on text made by perturbing real documents.

The text: see `_perturbed` (families of near copies, and a giant one). Timed is the stage alone, from its documents on disk to
its shards written, without the start of Spark. The value is by wall-clock seconds times cores, so a neighbour on the machine
counts against it; `megabytes_per_cpu_second` is by the CPU time of the JVM and its Python workers. `steps` says which
committed step took how many seconds: `signatures` reads and signs, `pairs` shuffles bands and lets documents meet, `edges`
measures the pairs' true Jaccard, `clusters` decides, `shards` reads and writes the text.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks._dedup_run import measure

BAR = 2.0  # MB/s a core: the issue's; public pipelines reach 0.3 to 0.9


def main(arguments: list[str]) -> Iterator[dict[str, Any]]:
    parser = argparse.ArgumentParser(prog="dedup-speed", description=__doc__)
    parser.add_argument("--corpus", required=True, help="a folder with corpus/en.jsonl.zst and corpus/zh.jsonl.zst")
    parser.add_argument("--megabytes", default="100,1000", help="sizes to measure")
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--driver-memory", default="2g", help="heap of the JVM, which holds driver and executor here")
    parser.add_argument("--stage", default="dedup_documents", choices=["dedup_documents", "dedup_paragraphs"])
    options = parser.parse_args(arguments)
    for size in map(float, options.megabytes.split(",")):
        found = measure(options.stage, Path(options.corpus), size, options.cores, options.driver_memory)
        value = found.megabytes / found.seconds / options.cores
        yield {
            "name": f"dedup-speed.{options.stage}.{size:g}MB",
            "value": round(value, 3),
            "unit": "MB/s/core",
            "reference": "the issue's bar",
            "reference_value": BAR,
            "ratio": round(value / BAR, 3),
            "seconds": round(found.seconds, 1),
            "megabytes_per_cpu_second": round(found.megabytes / sum(found.cpu.values()), 3),
            "cpu_seconds": found.cpu,
            "steps": found.steps,
            "peak_megabytes": {kind: round(peak) for kind, peak in found.peaks.items()},
            "documents": found.facts["in"],
            "removed": found.facts["removed"],
            **found.facts.get("near_duplicates", {}),
            **found.facts.get("paragraphs", {}),
        }
