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

from core.config import ConfigError
from core.ports import free_ports
from core.run import Run
from tests.trainer.launched import assert_same_curve, losses, manifest, ranks_of, start
from tests.trainer.tokens import write_config, write_encoded
from tests.trainer.worlds import ROOT
from trainer.nodes import Nodes, check_environment


def nodes_of(config: Path, run: Path, *overrides: str) -> list[subprocess.Popen[str]]:
    """The launchers of two nodes, both on this host."""
    made = [sys.executable, "-m", "trainer.launch", "--config", str(config), f"run={run}", *overrides]
    there = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_ports(1)[0]), "SLURM_JOB_ID": "7"}
    return [
        subprocess.Popen(made, env={**os.environ, **there, "NODE_RANK": str(node)}, cwd=ROOT, stderr=subprocess.PIPE, text=True)
        for node in range(2)
    ]


def test_launchers_wait_for_each_other_before_they_start_again(tmp_path: Path) -> None:
    run = Run(str(tmp_path))
    nodes = [Nodes.here(run, {"NODE_RANK": str(node), "SLURM_JOB_ID": "7"}) for node in (0, 1)]
    nodes[0].mark(0, 137)
    assert nodes[0].wait(0, 2, 0.0) == {0: 137}
    threading.Timer(0.5, nodes[1].mark, (0, 1)).start()
    assert nodes[0].wait(0, 2, 30.0) == {0: 137, 1: 1}
    assert nodes[0].ended(1) == {}, "another start"
    again = Nodes.here(run, {"NODE_RANK": "0", "SLURM_JOB_ID": "7", "SLURM_RESTART_COUNT": "1"})
    assert again.ended(0) == {} and nodes[0].ended(0) == {}, "another submission knows nothing of it, and cleans up"


def test_what_a_launcher_refuses_before_its_ranks_start_is_told_to_the_other_nodes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, hosts = tmp_path / "run", tmp_path / "hosts"
    write_encoded(run)
    hosts.write_text("first slots=1\nsecond slots=1\n", encoding="utf-8")
    config = write_config(tmp_path / "run.yaml")
    there = {"NODE_RANK": "0", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29500"}
    other = Nodes.here(Run(str(run)), {"NODE_RANK": "1"})

    def refused(environment: dict[str, str], *overrides: str) -> str:
        for mark in other.folder.glob("ended-*"):
            mark.unlink()
        for name in there:
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(ConfigError) as error:
            start(config, run, f"parallel.hostfile={hosts}", *overrides)
        assert other.ended(0) == {0: 2}
        other.mark(0, 0)
        assert Nodes.here(Run(str(run)), {"NODE_RANK": "1"}).ended(0) == {0: 2}, "a node started by hand a moment later knows"
        return str(error.value)

    missing = f"benchmark.folder={tmp_path / 'sets'}"
    assert "has no files for" in refused(there, missing)
    assert "is smaller than the tokenizer's 58" in refused(there, "model.vocab=40", "model.vocab_multiple=8")
    assert "MASTER_ADDR and MASTER_PORT not: a command that is started on every node" in refused({"NODE_RANK": "0"})
    assert "MASTER_PORT = x: is no port" in refused({**there, "MASTER_PORT": "x"})
    (mark,) = (run / "launch").glob("ended-*")
    os.utime(mark, (1.0, 1.0))
    assert Nodes.here(Run(str(run)), {"NODE_RANK": "1"}).ended(0) == {}, "an earlier submission's"


def test_a_node_that_is_not_in_the_hostfile_is_refused() -> None:
    with pytest.raises(ConfigError, match="NODE_RANK = 2: the hostfile has 2 nodes in use; number them from 0"):
        check_environment({"NODE_RANK": "2", "MASTER_ADDR": "first", "MASTER_PORT": "29500"}, 2)
    with pytest.raises(ConfigError, match="NODE_RANK = first: is no node's number"):
        Nodes.here(Run("run"), {"NODE_RANK": "first"})


@pytest.mark.slow
def test_two_launchers_end_within_seconds_when_one_is_refused(tmp_path: Path) -> None:
    """The files of the benchmarks are looked for on the first node alone."""
    config, run, hosts = write_config(tmp_path / "run.yaml"), tmp_path / "run", tmp_path / "hosts"
    write_encoded(run)
    hosts.write_text("first slots=1\nsecond slots=1\n", encoding="utf-8")
    overrides = (f"parallel.hostfile={hosts}", "parallel.restarts=1", f"benchmark.folder={tmp_path / 'sets'}")
    began, started = time.monotonic(), nodes_of(config, run, *overrides)
    said = [node.communicate(timeout=200)[1] for node in started]
    assert time.monotonic() - began < 60
    assert [node.returncode for node in started] == [2, 1]
    assert "has no files for" in said[0]
    assert "the ranks of node 0 have ended with status 2" in said[1] and "not started again, node 0 has ended" in said[1]


@pytest.mark.slow
def test_two_nodes_start_again_together_when_a_rank_of_one_is_killed(tmp_path: Path) -> None:
    config = write_config(tmp_path / "run.yaml", steps=60, save_every=5, validate_every=0)
    one, two = tmp_path / "one", tmp_path / "two"
    for run in (one, two):
        write_encoded(run)
    assert start(config, one) == 0
    hosts = tmp_path / "hosts"
    hosts.write_text("first slots=1\nsecond slots=1\n", encoding="utf-8")
    started = nodes_of(config, two, f"parallel.hostfile={hosts}", "parallel.restarts=1")
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
