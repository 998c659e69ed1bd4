"""Work that was killed goes on where it stopped and ends as if nothing had happened."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from core.run import Run
from tests import made_corpus
from tests.line import digests, submit

pytestmark = pytest.mark.slow


def test_a_driver_killed_on_the_way_leaves_a_run_that_ends_with_the_same_digests(tmp_path: Path) -> None:
    corpus = made_corpus.write(tmp_path / "corpus")
    config = made_corpus.write_config(tmp_path / "line.yaml")
    undisturbed, killed = Run(str(tmp_path / "undisturbed")), Run(str(tmp_path / "killed"))
    ended = submit(config, corpus, undisturbed, "resample")
    said = ended.communicate(timeout=400)[1]
    assert ended.returncode == 0, said[-3000:]

    for marker in ("extract/shards/00000.parquet", "clean/shards/00001.parquet", "dedup_documents/began.json"):
        victim = submit(config, corpus, killed, "resample")
        deadline = time.monotonic() + 200
        while not (Path(killed.uri) / marker).exists() and victim.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        os.killpg(victim.pid, signal.SIGKILL)
        victim.wait()
    kept = {path: path.stat().st_mtime_ns for path in Path(killed.uri).glob("clean/shards/*.parquet")}
    assert kept, "nothing had been committed when the driver was killed"
    last = submit(config, corpus, killed, "resample")
    said = last.communicate(timeout=400)[1]
    assert last.returncode == 0, said[-3000:]
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert digests(killed) == digests(undisturbed)
    assert not list(Path(killed.uri).rglob("*.aside-*"))
