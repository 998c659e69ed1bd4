"""Peak memory of a dedup stage against the size of the corpus: of a Python worker, of the driver, and with one giant bucket.

The stage runs on 0.1 and on 1 GB of perturbed text (see `_perturbed`) in shards of one size with one heap, and once on 10**5
near copies of one short document, which meet in every band. Peaks are resident memory, looked at four times a second; the
JVM's grows to its heap before it collects, so what it still holds at the end, after a collection, stands beside it. The
driver's Python holds the verified edges, up to `driver_edges` of them. The value is the peak at the larger size, the
reference that at the smaller one: a ratio near 1 is flat.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks._dedup_run import measure


def main(arguments: list[str]) -> Iterator[dict[str, Any]]:
    parser = argparse.ArgumentParser(prog="memory", description=__doc__)
    parser.add_argument("--corpus", required=True, help="a folder with corpus/en.jsonl.zst and corpus/zh.jsonl.zst")
    parser.add_argument("--megabytes", default="100,1000", help="two sizes to compare")
    parser.add_argument("--giant", type=int, default=100_000, help="near copies in the one bucket; 0 leaves it out")
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--driver-memory", default="2g", help="heap of the JVM, which holds driver and executor here")
    parser.add_argument("--stage", default="dedup_documents", choices=["dedup_documents", "dedup_paragraphs"])
    options = parser.parse_args(arguments)
    fixed = (options.cores, options.driver_memory)
    corpus = Path(options.corpus)
    small, large = (float(size) for size in options.megabytes.split(","))
    base = measure(options.stage, corpus, small, *fixed)
    runs = [(f"{large:g}MB", measure(options.stage, corpus, large, *fixed))]
    if options.giant:
        # As many shards as the small corpus has: the documents of one template lie in all of them.
        runs.append((f"{options.giant}-near-copies", measure(options.stage, corpus, small, *fixed, giant=options.giant)))
    speed = base.megabytes / base.seconds / options.cores
    for name, run in runs:
        for kind, peak in run.peaks.items():
            yield {
                "name": f"memory.{options.stage}.{name}.{kind.replace(' ', '-')}",
                "value": round(peak),
                "unit": "MB",
                "reference": f"the same at {small:g} MB",
                "reference_value": round(base.peaks[kind]),
                "ratio": round(peak / base.peaks[kind], 3),
                "documents": run.facts["in"],
                "removed": run.facts["removed"],
                "megabytes_a_second_and_core": round(run.megabytes / run.seconds / options.cores, 3),
                "reference_megabytes_a_second_and_core": round(speed, 3),
                "steps": run.steps,
                **run.facts.get("near_duplicates", {}),
            }
