"""Launchers of several nodes: they wait for each other, and start again together."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from core.ports import free_ports
from core.run import Run
from tests.trainer.launched import assert_same_curve, losses, manifest, ranks_of, start
from tests.trainer.tokens import write_config, write_encoded
from tests.trainer.worlds import ROOT
from trainer.nodes import Nodes


def test_launchers_wait_for_each_other_before_they_start_again(tmp_path: Path) -> None:
    run = Run(str(tmp_path))
    nodes = [Nodes.here(run, 2, {"NODE_RANK": str(node), "SLURM_JOB_ID": "7"}) for node in (0, 1)]
    nodes[0].mark(0, 137)
    assert nodes[0].wait(0, 0.0) == {0: 137}
    threading.Timer(0.5, nodes[1].mark, (0, 1)).start()
    assert nodes[0].wait(0, 30.0) == {0: 137, 1: 1}
    assert nodes[0].ended(1) == {}, "another start"
    again = Nodes.here(run, 2, {"NODE_RANK": "0", "SLURM_JOB_ID": "7", "SLURM_RESTART_COUNT": "1"})
    assert again.ended(0) == {} and nodes[0].ended(0) == {}, "another submission knows nothing of it, and cleans up"


@pytest.mark.slow
def test_two_nodes_start_again_together_when_a_rank_of_one_is_killed(tmp_path: Path) -> None:
    config = write_config(tmp_path / "run.yaml", steps=60, save_every=5, validate_every=0)
    one, two = tmp_path / "one", tmp_path / "two"
    for run in (one, two):
        write_encoded(run)
    assert start(config, one) == 0
    hosts = tmp_path / "hosts"
    hosts.write_text("first slots=1\nsecond slots=1\n", encoding="utf-8")
    port, started = free_ports(1)[0], []
    given = ["--config", str(config), f"run={two}", f"parallel.hostfile={hosts}", "parallel.restarts=1"]
    for node in range(2):
        there = {"NODE_RANK": str(node), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "SLURM_JOB_ID": "7"}
        made = [sys.executable, "-m", "trainer.launch", *given]
        started.append(subprocess.Popen(made, env={**os.environ, **there}, cwd=ROOT, stderr=subprocess.PIPE, text=True))
    until = time.monotonic() + 200
    while max(losses(two), default=0) < 8:
        assert time.monotonic() < until and all(node.poll() is None for node in started)
        time.sleep(0.1)
    second = next(pid for pid in ranks_of(two) if b"\0RANK=1\0" in b"\0" + Path(f"/proc/{pid}/environ").read_bytes())
    os.kill(second, signal.SIGKILL)
    said = [node.communicate(timeout=200)[1] for node in started]
    assert [node.returncode for node in started] == [0, 0], said
    assert all("started again, 1 of 1" in text for text in said)
    assert manifest(two)["restarts"] == 1
    assert_same_curve(losses(two), losses(one))
