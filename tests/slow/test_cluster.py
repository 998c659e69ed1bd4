"""A standalone cluster of two workers: the same documents as on one machine, also when executors are killed on the way."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks._cluster import Cluster, write_environment, write_project
from core.run import Run
from tests import made_corpus
from tests.line import digests, submit

pytestmark = pytest.mark.slow

LAST = "decontaminate"
ON_CLUSTER = """
extends: line.yaml
spark:
  master: {master}
  driver_memory: 1g
  executor_memory: 600m
  partitions: 4
  python_files: {project}
  environment: {environment}
  conf: {{spark.driver.host: 127.0.0.1, spark.driver.bindAddress: 127.0.0.1}}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cluster")


@pytest.fixture(scope="module")
def corpus(folder: Path) -> Path:
    made_corpus.write_config(folder / "line.yaml")
    return made_corpus.write(folder / "corpus")


@pytest.fixture(scope="module")
def local(folder: Path, corpus: Path) -> dict[str, Any]:
    """What one machine gives."""
    run = Run(str(folder / "local"))
    assert finish(submit(folder / "line.yaml", corpus, run, LAST)) == 0
    return digests(run)


@pytest.fixture(scope="module")
def cluster(folder: Path) -> Iterator[Cluster]:
    with Cluster(folder / "spark") as started:
        environment, project = write_environment(folder), write_project(folder / "project.zip")
        text = ON_CLUSTER.format(master=started.master, project=project, environment=environment)
        (folder / "cluster.yaml").write_text(text, encoding="utf-8")
        yield started


def finish(started: subprocess.Popen[str]) -> int:
    said = started.communicate(timeout=400)[1]
    print(said[-5000:])
    return started.returncode


def test_the_environment_sent_to_executors_does_not_hold_the_project(folder: Path, cluster: Cluster) -> None:
    def imports(names: str) -> int:
        python = folder / "environment" / "bin" / "python"
        bare = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}  # other tests set it to the project
        return subprocess.run([python, "-c", f"import {names}"], cwd=folder, env=bare, check=False).returncode

    assert imports("pyarrow, warcio") == 0
    assert imports("datapipe") == 1


def test_two_workers_give_the_documents_of_one_machine(
    folder: Path, corpus: Path, local: dict[str, Any], cluster: Cluster
) -> None:
    run = Run(f"file://{folder}/on-cluster")
    assert finish(submit(folder / "cluster.yaml", f"file://{corpus}", run, LAST)) == 0
    assert digests(run) == local


def test_executors_killed_on_the_way_cost_only_what_they_had_not_committed(
    folder: Path, corpus: Path, local: dict[str, Any], cluster: Cluster
) -> None:
    run = Run(str(folder / "killed"))
    started = submit(folder / "cluster.yaml", corpus, run, LAST)
    kept: dict[Path, int] = {}
    for number, marker in enumerate(("extract/began.json", "clean/shards/00000.parquet", "dedup_documents/began.json")):
        deadline = time.monotonic() + 200
        while not ((folder / "killed" / marker).exists() and len(cluster.executors()) == 2):
            assert started.poll() is None and time.monotonic() < deadline, finish(started)
            time.sleep(0.02)
        kept |= {path: path.stat().st_mtime_ns for path in folder.glob("killed/*/shards/*.parquet")}
        cluster.kill_executor(number % 2)
    assert finish(started) == 0
    assert kept and {path: path.stat().st_mtime_ns for path in kept} == kept
    assert digests(run) == local
