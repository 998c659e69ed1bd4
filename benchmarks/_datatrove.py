"""datatrove's pipeline from crawled pages to deduplicated text, run by `pipeline-speed` in an environment of its own.

Needs nothing of the project. `python _datatrove.py CRAWL FOLDER WORKERS` prints one JSON object: step -> seconds. Blocks and
settings are those of its published FineWeb example, less what would have to be downloaded (the model of its language filter,
so that it does less work here) and lists of URLs.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any


def main(crawl: str, folder: str, workers: int) -> None:
    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline.dedup import MinhashDedupCluster, MinhashDedupFilter, MinhashDedupSignature
    from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupBuckets
    from datatrove.pipeline.extractors import Trafilatura
    from datatrove.pipeline.filters import (
        C4QualityFilter,
        FineWebQualityFilter,
        GopherQualityFilter,
        GopherRepetitionFilter,
    )
    from datatrove.pipeline.readers import JsonlReader, WarcReader
    from datatrove.pipeline.writers.jsonl import JsonlWriter

    def place(name: str) -> str:
        return str(Path(folder) / name)

    config = MinhashConfig(num_buckets=14, hashes_per_bucket=8, n_grams=5)
    files = len(list(Path(crawl).glob("*.warc.gz")))
    steps: dict[str, tuple[list[Any], int]] = {
        "extract and filter": (
            [
                WarcReader(crawl, glob_pattern="*.warc.gz"),
                Trafilatura(favour_precision=True),
                GopherRepetitionFilter(),
                GopherQualityFilter(),
                C4QualityFilter(filter_no_terminal_punct=False),
                FineWebQualityFilter(),
                JsonlWriter(place("filtered")),
            ],
            files,
        ),
        "signatures": ([JsonlReader(place("filtered")), MinhashDedupSignature(place("signatures"), config=config)], files),
        "buckets": ([MinhashDedupBuckets(place("signatures"), place("buckets"), config=config)], config.num_buckets),
        "clusters": ([MinhashDedupCluster(place("buckets"), place("removed"), config=config)], 1),
        "write": (
            [JsonlReader(place("filtered")), MinhashDedupFilter(place("removed")), JsonlWriter(place("kept"))],
            files,
        ),
    }
    seconds = {}
    for name, (pipeline, tasks) in steps.items():
        began = time.perf_counter()
        LocalPipelineExecutor(pipeline, tasks=tasks, workers=min(workers, tasks), logging_dir=place(f"logs-{name}")).run()
        seconds[name] = round(time.perf_counter() - began, 2)
        if not list(Path(folder, "filtered").glob("*")):  # it goes on where every one of its tasks has failed
            raise SystemExit(f"error: {name}: wrote nothing; its words stand above and in {place(f'logs-{name}')}.")
    print(json.dumps(seconds))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
