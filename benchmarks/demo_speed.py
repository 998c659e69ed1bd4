"""Seconds and MB/s of each stage of the demo (or of a corpus), beside plain Parquet reading and writing of the same text.

The line runs once in a fresh folder, as a user starts it. MB are of UTF-8 text that came into the stage. The reference is
the machine's own limit for work of this shape: one thread that reads the stage's input shards with pyarrow and writes them
again, measured right after the run.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parent.parent


def main(arguments: list[str]) -> Iterator[dict[str, Any]]:
    parser = argparse.ArgumentParser(prog="demo-speed", description=__doc__)
    parser.add_argument("--corpus", default="", help="a corpus; empty: the demo's own crawl")
    parser.add_argument("--run", default="", help="measure this finished run instead of a fresh one")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        run = Path(options.run or folder) / ("" if options.run else "run")
        if not options.run:
            name = "demo-corpus" if options.corpus else "demo"
            command = [sys.executable, "jobs/line.py", "--config", f"configs/{name}.yaml", f"run={run}"]
            if options.corpus:
                command.append(f"corpus={options.corpus}")
            subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        yield from results(run)


def results(run: Path) -> Iterator[dict[str, Any]]:
    """One line for each finished stage of a run, and one for the whole."""
    total = 0.0
    source = "extract"
    for path in sorted(run.glob("*/manifest.json"), key=lambda path: path.stat().st_mtime):
        manifest = json.loads(path.read_text(encoding="utf-8"))
        seconds = float(manifest["seconds"])
        total += seconds
        result: dict[str, Any] = {"name": f"demo-speed.{path.parent.name}", "value": round(seconds, 2), "unit": "s"}
        if "bytes_in" in manifest and manifest["bytes_in"]:
            speed = manifest["bytes_in"] / 1e6 / seconds
            limit = copy_speed(run / source / "shards", manifest["bytes_in"])
            result.update(value=round(speed, 3), unit="MB/s", seconds=round(seconds, 2))
            result.update(reference="pyarrow reads and writes the shards, one thread", reference_value=round(limit, 1))
            result["ratio"] = round(speed / limit, 4)
            source = path.parent.name
        yield result
    yield {"name": "demo-speed", "value": round(total, 1), "unit": "s", "reference": "the issue's limit of 10 minutes",
           "reference_value": 600, "ratio": round(total / 600, 3)}  # fmt: skip


def copy_speed(shards: Path, text_bytes: int) -> float:
    """MB of text a second through plain pyarrow: each shard read whole and written again."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        for path in sorted(shards.glob("*.parquet")):
            pq.write_table(pq.read_table(path), Path(folder) / path.name, compression="zstd")
    return text_bytes / 1e6 / (time.perf_counter() - began)
