"""The whole pipeline, crawl archives to deduplicated text, in MB of HTML a second on two cores, beside datatrove's.

Both read the same archives, made by replicating and perturbing real pages (see `_crawl`). Ours is the line as a run has it,
from extract through dedup_documents (paragraph dedup and the quality stages included, which the peer has not), in one Spark
session whose start is stated apart. The peer runs in an environment of its own, from its published FineWeb example (see
`_datatrove`); its imports are not counted. Seconds of each step stand beside the result.
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

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from benchmarks import _crawl
from benchmarks._environment import environment as peer_environment
from core.config import load
from core.line import foreign
from core.run import Run
from datapipe.config import DataConfig
from datapipe.job import chain, run_stages
from datapipe.launch import environment
from datapipe.tables import read_tables, write_by_shard

ROOT = Path(__file__).resolve().parent.parent
BAR = 3.0  # times datatrove: the issue's
CONFIG = """
extends: {cleaning}
spark: {{master: "local[{cores}]", driver_memory: 3g, partitions: {partitions}}}
extract:
  shards: {shards}
  inputs:
    - {{glob: "web/*.warc.gz", source: warc, domain: WebText}}
"""


def main(arguments: list[str]) -> Iterator[dict[str, Any]]:
    parser = argparse.ArgumentParser(prog="pipeline-speed", description=__doc__)
    parser.add_argument("--corpus", required=True, help="a folder with warc/*.warc.gz")
    parser.add_argument("--megabytes", type=float, default=60.0, help="HTML; the issue's bar is over 1000")
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--peer-megabytes", type=float, default=None, help="HTML for the peer, if not as much; 0: no peer")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        pages, size = _crawl.write(Path(options.corpus), root / "crawl", options.megabytes, files=8)
        start, steps = ours(root, options.megabytes, options.cores)
        result: dict[str, Any] = {
            "name": "pipeline-speed", "value": round(size / 1e6 / sum(steps.values()), 2), "unit": "MB of HTML/s",
            "cores": options.cores, "pages": pages, "megabytes": round(size / 1e6, 1),
            "start_up_seconds": round(start, 1), "seconds": {name: round(value, 1) for name, value in steps.items()},
        }  # fmt: skip
        wanted = options.megabytes if options.peer_megabytes is None else options.peer_megabytes
        if wanted:
            crawl = root / "crawl"
            if wanted != options.megabytes:
                crawl = root / "less"
                _, size = _crawl.write(Path(options.corpus), crawl, wanted, files=8)
            theirs = peer(crawl / "web", root / "peer", options.cores)
            speed = size / 1e6 / sum(theirs.values())
            result.update(reference="datatrove", reference_value=round(speed, 2), ratio=round(result["value"] / speed, 2))
            result.update(bar=BAR, reference_seconds=theirs, reference_megabytes=round(size / 1e6, 1))
        yield result


def ours(root: Path, megabytes: float, cores: int) -> tuple[float, dict[str, float]]:
    """Seconds until the session has run a first task of each kind, and seconds of each stage."""
    shards = max(2 * cores, round(megabytes / 64))
    path = root / "line.yaml"
    cleaning = ROOT / "configs" / "cleaning.yaml"
    path.write_text(CONFIG.format(cleaning=cleaning, cores=cores, shards=shards, partitions=2 * cores), encoding="utf-8")
    run = Run(str(root / "run"))
    config = load(path, [f"run={run.uri}", f"corpus={root / 'crawl'}"], DataConfig, foreign("datapipe"))
    began = time.perf_counter()
    os.environ.update(environment(config.spark))
    os.environ["PYSPARK_SUBMIT_ARGS"] = f"--driver-memory {config.spark.driver_memory} pyspark-shell"
    from datapipe.spark import open_session

    session = open_session(config.spark, "pipeline-speed")
    warm_up(session, root / "warm", cores)
    start = time.perf_counter() - began
    entries = chain("extract", "dedup_documents", config)
    run_stages(entries, config, run, lambda: session)
    session.stop()
    manifests = {entry.name: run.stage(entry.name).require() for entry in entries}
    return start, {name: float(manifest["seconds"]) for name, manifest in manifests.items()}


def warm_up(session: SparkSession, folder: Path, cores: int) -> None:
    """One small task of each kind that the line has: a JVM loads and compiles most of Spark with its first query, some ten
    seconds on this machine whatever the size of the data."""
    session.sparkContext.parallelize(range(cores), cores).map(abs).collect()
    path = folder / "rows.parquet"
    folder.mkdir()
    pq.write_table(pa.table({"id": [str(number) for number in range(100)]}), path)
    rows = read_tables(session, [str(path)], pa.schema([("id", pa.string())])).withColumn("shard", F.length("id"))
    write_by_shard(rows.repartitionById(4, "shard"), _count)
    rows.groupBy("shard").count().collect()


def _count(shard: int, batches: Iterator[pa.RecordBatch]) -> int:
    return sum(batch.num_rows for batch in batches)


def peer(crawl: Path, folder: Path, workers: int) -> dict[str, float]:
    """Seconds of each step of datatrove."""
    python = peer_environment("datatrove", ["datatrove[io,processing]", "spacy", "lxml_html_clean"])
    command = [str(python), str(ROOT / "benchmarks" / "_datatrove.py"), str(crawl), str(folder), str(workers)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        print(ended.stderr[-4000:], file=sys.stderr)
        raise SystemExit("error: datatrove: ended with an error; what it said stands above.")
    seconds: dict[str, float] = json.loads(ended.stdout.strip().splitlines()[-1])
    return seconds
