"""Real searches: killed with all its trials in their last leg, one ends as one that nobody disturbed; one over several hosts
ends as one on this host."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.trainer.tokens import write_encoded
from tests.trainer.worlds import ROOT
from trainer.log import rows

CONFIG: dict[str, Any] = {
    "model": {"layers": 1, "hidden": 16, "heads": 2, "ffn": 32, "context": 32, "vocab_multiple": 16, "base_hidden": 16},
    "parallel": {"micro_batch": 8, "device": "cpu", "threads": 1},
    "pretrain": {
        "steps": 400, "batch": 8, "validate_every": 0, "save_every": 80, "keep": 1, "norms_every": 0,
        "optimizer": {"lr": 1e-2, "lr_matrix": 1e-2},
    },
    "search": {
        "grid": {"lr_matrix": [2e-3, 1e-2, 1e30]}, "slots": 2, "probe": 1.0,
        "early_stop": {"rungs": [0.5], "margin": 9.0},
    },
}  # fmt: skip

# Stand in for another host: what is sent there runs here, with nothing of the sender's environment.
PDSH = """#!/bin/sh
while [ "$1" != -w ]; do shift; done
hosts=$2; shift 2
echo "$hosts" >> {log}
number=0; children=
for host in $(echo "$hosts" | tr , ' '); do
  env -i HOME="$HOME" PATH="$PATH" sh -c "$(echo "$*" | sed "s/%n/$number/")" & children="$children $!"
  number=$((number + 1))
done
status=0
for child in $children; do wait "$child" || status=$?; done
exit $status
"""
SSH = """#!/bin/sh
case "$*" in *hostname*-I) echo 127.0.0.1;; esac
"""


def start(run: Path, *overrides: str, path: Path | None = None) -> subprocess.Popen[bytes]:
    config = run / "search.yaml"
    config.write_text(yaml.safe_dump(CONFIG), encoding="utf-8")
    command = [sys.executable, "jobs/search.py", "--config", str(config), f"run={run}", *overrides]
    env = {**os.environ, "PATH": f"{path}:{os.environ['PATH']}"} if path else None
    return subprocess.Popen(command, cwd=ROOT, start_new_session=True, env=env)


def table(run: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((run / "search/table.json").read_text())
    return found


def last_steps(run: Path) -> dict[str, int]:
    logs = run.glob("search/trials/*/pretrain/log.jsonl")
    return {log.parts[-3]: max((json.loads(line)["step"] for line in log.read_text().splitlines()), default=0) for log in logs}


@pytest.mark.slow
def test_a_search_killed_with_its_trials_ends_as_one_that_was_not(tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    for run in (whole, killed):
        write_encoded(run)
    assert start(whole).wait() == 0

    held = start(killed)
    limit = time.monotonic() + 300
    while not any(step > 245 for step in last_steps(killed).values()):
        assert held.poll() is None and time.monotonic() < limit
        time.sleep(0.05)
    os.killpg(held.pid, signal.SIGKILL)  # the search and the trials it had started
    held.wait()
    assert not (killed / "search/table.json").exists()
    assert start(killed).wait() == 0
    assert table(killed) == table(whole)
    assert [row["status"] for row in table(whole)["trials"]] == ["finished", "finished", "broke"]
    for folder in killed.glob("search/trials/*"):
        begins = [int(step) for step in re.findall(r"goes on from step-(\d+)", (folder / "output.txt").read_text())]
        # Of the legs to 200 and 400 each goes on where the one before it had ended, a killed one at what it had saved.
        assert begins == sorted(begins) and (begins[:1] == [200] or not begins), folder
        steps = [row["step"] for row in rows(folder / "pretrain/log.jsonl") if "loss" in row]
        assert steps == list(range(1, len(steps) + 1))
    assert "goes on from step-00000240" in "".join(path.read_text() for path in killed.glob("search/trials/*/output.txt"))

    before = {path: path.stat().st_mtime_ns for path in killed.glob("search/trials/*/pretrain/manifest.json")}
    assert start(killed).wait() == 0
    assert before == {path: path.stat().st_mtime_ns for path in before} and len(before) == 2  # no trial a second time


@pytest.mark.slow
def test_a_search_over_hosts_ends_as_one_on_this_host(tmp_path: Path) -> None:
    """Two trials of two ranks at a time: one lies on two hosts, the other on a third."""
    here, there, bin_ = tmp_path / "here", tmp_path / "there", tmp_path / "bin"
    bin_.mkdir()
    for name, text in (("pdsh", PDSH.format(log=tmp_path / "reached")), ("ssh", SSH)):
        (bin_ / name).write_text(text, encoding="utf-8")
        (bin_ / name).chmod(0o755)
    (tmp_path / "hosts").write_text("first slots=1\nsecond slots=1\nthird slots=3\n", encoding="utf-8")
    small = ["search.grid.lr_matrix=[2e-3, 1e-2]", "pretrain.steps=8", "search.early_stop.rungs=[]"]
    small += ["parallel.data=2", "parallel.micro_batch=4"]
    for run in (here, there):
        write_encoded(run)
    assert start(here, *small, "search.slots=1").wait() == 0
    assert start(there, *small, f"parallel.hostfile={tmp_path / 'hosts'}", path=bin_).wait() == 0
    assert sorted((tmp_path / "reached").read_text().split()) == ["first,second", "third"]
    assert table(there) == table(here)
