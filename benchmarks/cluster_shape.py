"""What moves on a cluster, and what the driver holds: bytes shuffled, how often text is, memory against documents, a kill.

A standalone cluster of two workers of one core runs the line from extract to decontaminate, on perturbed pages (see
`_crawl`), twice: the second time on four times as many pages in the same shards. Shuffled bytes (as written, compressed) and
the columns of each exchange are from Spark's event log. The driver's memory is the peak of its Python and what its JVM holds
after a collection, at the end of the stage that holds most. Then the smaller run is repeated and an executor killed on the way.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks import _crawl
from benchmarks._cluster import ROOT, Cluster

FIRST, LAST = "extract", "decontaminate"
CONFIG = """
extends: {cleaning}
spark:
  master: {master}
  driver_memory: 1g
  executor_memory: 1g
  partitions: 8
  conf:
    spark.driver.host: 127.0.0.1
    spark.driver.bindAddress: 127.0.0.1
    spark.eventLog.enabled: "true"
    spark.eventLog.rolling.enabled: "false"
    spark.eventLog.compress: "false"
    spark.eventLog.dir: file://{events}
extract:
  shards: 8
  inputs:
    - {{glob: "web/*.warc.gz", source: warc, domain: WebText}}
"""
_EXCHANGE = re.compile(r"\(\d+\) Exchange[^\n]*\nInput \[\d+\]: \[([^\]]*)\]")
_TEXT = re.compile(r"\btext#\d+")


def main(arguments: list[str]) -> Iterator[dict[str, Any]]:
    parser = argparse.ArgumentParser(prog="cluster-shape", description=__doc__)
    parser.add_argument("--corpus", required=True, help="a folder with warc/*.warc.gz")
    parser.add_argument("--megabytes", type=float, default=8.0, help="HTML of the smaller run")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        with Cluster(root / "spark", memory="1536m") as cluster:
            runs = []
            for name, size in (("small", options.megabytes), ("large", 4 * options.megabytes)):
                _crawl.write(Path(options.corpus), root / f"crawl-{name}", size, files=16)
                runs.append(finish(start(root, cluster, name, f"crawl-{name}")) | facts(root, name))
            yield from shape(events(root / "events-large"), runs[1])
            yield from driver(*runs)
            yield killed(root, cluster, runs[0])


def start(root: Path, cluster: Cluster, name: str, crawl: str) -> subprocess.Popen[str]:
    events, path, cleaning = root / f"events-{name}", root / f"{name}.yaml", ROOT / "configs" / "cleaning.yaml"
    events.mkdir()
    path.write_text(CONFIG.format(cleaning=cleaning, master=cluster.master, events=events), encoding="utf-8")
    given = [f"run={root / name}", f"corpus={root / crawl}"]
    command = [sys.executable, "-m", "benchmarks._driver", str(path), FIRST, LAST, *given]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def finish(started: subprocess.Popen[str]) -> dict[str, Any]:
    said = started.communicate()[0]
    if started.returncode:
        raise SystemExit("error: cluster-shape: the run ended with an error; what it said stands above.")
    found: dict[str, Any] = json.loads(said.strip().splitlines()[-1])
    return found


def facts(root: Path, name: str) -> dict[str, Any]:
    """Documents and bytes of text that came out of the pages, and the digest at the end."""
    first, last = (json.loads((root / name / stage / "manifest.json").read_text(encoding="utf-8")) for stage in (FIRST, LAST))
    return {"documents": first["in"], "bytes": first["bytes_in"], "digest": last["digest"]}


def events(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for path in folder.iterdir() for line in path.open(encoding="utf-8")]


def shape(log: list[dict[str, Any]], run: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Bytes shuffled by what was at work, and the exchanges that carried text."""
    label: dict[int, str] = {}
    shuffled: Counter[str] = Counter()
    carried = 0
    for event in log:
        kind = event["Event"]
        if kind == "SparkListenerJobStart":
            group = event["Properties"].get("spark.jobGroup.id") or "other"
            label.update({stage: group for stage in event["Stage IDs"]})
        elif kind == "SparkListenerTaskEnd" and event["Task End Reason"]["Reason"] == "Success":
            written = event["Task Metrics"]["Shuffle Write Metrics"]["Shuffle Bytes Written"]
            shuffled[label.get(event["Stage ID"], "other")] += written
        elif kind.endswith("SparkListenerSQLExecutionStart"):
            carried += sum(bool(_TEXT.search(columns)) for columns in _EXCHANGE.findall(event["physicalPlanDescription"]))
    text = shuffled[f"{FIRST}: shards"]
    by_step = {name: round(size / run["bytes"], 4) for name, size in shuffled.most_common() if size}
    yield {
        "name": "cluster-shape.text-shuffles", "value": carried, "unit": "exchanges that carry text",
        "reference": "the issue's bar", "reference_value": 1, "ratio": float(carried),
    }  # fmt: skip
    yield {
        "name": "cluster-shape.shuffled", "value": round(sum(shuffled.values()) / run["bytes"], 3),
        "unit": "bytes shuffled a byte of text", "reference": "the text once, compressed as Spark does",
        "reference_value": round(text / run["bytes"], 3), "ratio": round(sum(shuffled.values()) / text, 3),
        "documents": run["documents"], "megabytes_of_text": round(run["bytes"] / 1e6, 1), "by_step": by_step,
    }  # fmt: skip


def driver(small: dict[str, Any], large: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for part in ("python", "heap"):
        yield {
            "name": f"cluster-shape.driver-{part}", "value": large[part], "unit": "MB",
            "documents": large["documents"], "reference": f"the same with {small['documents']} documents",
            "reference_value": small[part], "ratio": round(large[part] / small[part], 3),
        }  # fmt: skip


def killed(root: Path, cluster: Cluster, undisturbed: dict[str, Any]) -> dict[str, Any]:
    """The smaller run again; an executor dies when the first shard has been cleaned."""
    started = start(root, cluster, "killed", "crawl-small")
    while not list((root / "killed" / "clean").glob("shards/*.parquet")):
        if started.poll() is not None:
            raise SystemExit("error: cluster-shape: the run ended before an executor could be killed.")
        time.sleep(0.02)
    cluster.kill_executor(0)
    again = finish(started)
    same = facts(root, "killed")["digest"] == undisturbed["digest"]
    return {
        "name": "cluster-shape.executor-killed", "value": again["seconds"], "unit": "s", "same_digest": same,
        "reference": "the undisturbed run", "reference_value": undisturbed["seconds"],
        "ratio": round(again["seconds"] / undisturbed["seconds"], 3),
    }  # fmt: skip
