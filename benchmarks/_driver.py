"""Runs stages in a process of their own and says what the driver took: run by `cluster-shape`.

`python -m benchmarks._driver CONFIG FIRST LAST key=value ...` prints one JSON object: the peak of its Python in MB, what the
JVM still held after a collection at the end of each stage (the largest), and seconds.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from typing import Any

from core.config import load
from core.line import foreign
from core.run import Run
from datapipe.config import DataConfig
from datapipe.job import chain, run_stages
from datapipe.launch import environment


def main(path: str, first: str, last: str, *overrides: str) -> None:
    config = load(path, overrides, DataConfig, foreign("datapipe"))
    os.environ.update(environment(config.spark))
    os.environ["PYSPARK_SUBMIT_ARGS"] = f"--driver-memory {config.spark.driver_memory} pyspark-shell"
    from datapipe.spark import open_session

    session = open_session(config.spark, "cluster-shape")
    began, held = time.perf_counter(), 0.0
    for entry in chain(first, last, config):
        run_stages([entry], config, Run(config.run), lambda: session)
        held = max(held, heap(session))
    seconds = time.perf_counter() - began
    session.stop()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"python": round(peak, 1), "heap": round(held, 1), "seconds": round(seconds, 1)}))


def heap(session: Any) -> float:
    """MB that the driver's JVM holds after a collection."""
    java = session.sparkContext._jvm.java.lang
    java.System.gc()
    runtime = java.Runtime.getRuntime()
    return float(runtime.totalMemory() - runtime.freeMemory()) / 1e6


if __name__ == "__main__":
    main(*sys.argv[1:])
