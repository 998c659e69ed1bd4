"""Work that was killed goes on where it stopped and ends as if nothing had happened."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from core.run import Run
from tests import made_corpus
from tests.line import digests

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow


def start(config: Path, corpus: Path, run: Run) -> subprocess.Popen[str]:
    given = ["--config", str(config), f"run={run.uri}", f"corpus={corpus}"]
    code = (
        "import sys; from datapipe.launch import submit; from datapipe.config import SparkConfig; "
        "sys.exit(submit('extract', SparkConfig(driver_memory='1g'), sys.argv[1:]))"
    )
    command = [sys.executable, "-c", code, *given, "--through", "resample", "spark.driver_memory=1g"]
    return subprocess.Popen(command, cwd=ROOT, start_new_session=True, text=True, stderr=subprocess.PIPE)


def test_a_driver_killed_on_the_way_leaves_a_run_that_ends_with_the_same_digests(tmp_path: Path) -> None:
    corpus = made_corpus.write(tmp_path / "corpus")
    config = made_corpus.write_config(tmp_path / "line.yaml")
    undisturbed, killed = Run(str(tmp_path / "undisturbed")), Run(str(tmp_path / "killed"))
    ended = start(config, corpus, undisturbed)
    assert ended.wait(400) == 0, ended.communicate()[1][-3000:]

    for marker in ("extract/shards/00000.parquet", "clean/shards/00001.parquet", "dedup_documents/began.json"):
        victim = start(config, corpus, killed)
        deadline = time.monotonic() + 200
        while not (Path(killed.uri) / marker).exists() and victim.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        os.killpg(victim.pid, signal.SIGKILL)
        victim.wait()
    kept = {path: path.stat().st_mtime_ns for path in Path(killed.uri).glob("clean/shards/*.parquet")}
    assert kept, "nothing had been committed when the driver was killed"
    last = start(config, corpus, killed)
    assert last.wait(400) == 0, last.communicate()[1][-3000:]
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert digests(killed) == digests(undisturbed)
    assert not list(Path(killed.uri).rglob("*.aside-*"))
