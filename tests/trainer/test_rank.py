"""A rank's own error is what is read, and one that fails or hangs ends the run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from core.config import load
from core.line import foreign
from core.ports import free_ports
from core.run import Run
from tests.trainer.launched import losses, ranks_of, start
from tests.trainer.tokens import write_config, write_encoded
from tests.trainer.worlds import ROOT
from trainer.config import TrainConfig
from trainer.launch import command, environment
from trainer.nodes import Nodes


def as_rank(tmp_path: Path, rank: int, work: str, **more: str) -> tuple[int, str, float]:
    """Runs `work` as the work of a rank: its exit status, what it said, and the seconds it took."""
    code = (
        "from core.config import ConfigError\nfrom trainer import rank\nimport time\n"
        f"rank._SECONDS_BETWEEN_LOOKS = 0.2\ndef work():\n    {work}\nrank.as_rank(work)"
    )
    env = {**os.environ, "RANK": str(rank), "LOCAL_RANK": str(rank), **more}
    began = time.monotonic()
    ended = subprocess.run(
        [sys.executable, "-c", code], env=env, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    return ended.returncode, ended.stderr, time.monotonic() - began


def test_what_only_another_rank_than_the_first_refuses_is_printed_by_it(tmp_path: Path) -> None:
    status, said, seconds = as_rank(tmp_path, 1, "raise ConfigError('no device')")
    assert status == 2 and said.strip() == "error on rank 1: no device"
    assert seconds > 3, "within two looks of the launcher rank 0 has had the word, if it found the same"
    assert as_rank(tmp_path, 0, "raise ConfigError('no device')")[:2] == (2, "error: no device\n")


def test_a_rank_ends_when_those_of_another_node_have(tmp_path: Path) -> None:
    nodes = [Nodes.here(Run(str(tmp_path)), {"NODE_RANK": str(node), "SLURM_JOB_ID": "7"}) for node in (0, 1)]
    nodes[1].mark(0, 0)
    nodes[1].mark(1, 137)
    status, said, _ = as_rank(tmp_path, 0, "time.sleep(50)", **nodes[0].environment(1))
    assert status == 1 and "the ranks of node 1 have ended with status 137" in said
    assert as_rank(tmp_path, 0, "time.sleep(1)", **nodes[0].environment(0))[0] == 0, "those of node 1 ended well"


@pytest.mark.parametrize("sleeps, status", [(0.06, 0), (1.0, 1)])
def test_time_in_which_a_rank_was_suspended_does_not_count_as_hanging(sleeps: float, status: int) -> None:
    code = (
        "import time\nfrom trainer.rank import Watchdog\nWatchdog(2.0)\nprint('begun', flush=True)\n"
        f"for _ in range(10): time.sleep({sleeps})"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as rank:
        assert rank.stdout is not None and rank.stdout.readline() == "begun\n"
        rank.send_signal(signal.SIGSTOP)
        time.sleep(3)
        rank.send_signal(signal.SIGCONT)
        said = rank.communicate(timeout=60)[1]
    assert rank.returncode == status and ("its first step has taken" in said) == bool(status)


@pytest.mark.slow
def test_a_rank_that_hangs_ends_the_run(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    config, run = write_config(tmp_path / "run.yaml", steps=100_000, save_every=0, validate_every=0), tmp_path / "run"
    write_encoded(run)
    stopped: list[int] = []

    def stop_a_rank() -> None:
        while not stopped:
            time.sleep(0.2)
            reached = max(losses(run), default=0)
            if reached >= 5 and (ranks := ranks_of(run)):
                os.kill(ranks[-1], signal.SIGSTOP)
                stopped.append(ranks[-1])

    watcher = threading.Thread(target=stop_a_rank)
    watcher.start()
    began = time.monotonic()
    status = start(config, run, "parallel.timeout_minutes=0.2")
    watcher.join()
    assert status not in (0, 2, 3) and time.monotonic() - began < 240
    said = capfd.readouterr().err
    assert "longer than parallel.timeout_minutes: some rank hangs" in said and "train_batch" in said
    with pytest.raises(ProcessLookupError):
        os.kill(stopped[0], 0)


@pytest.mark.slow
def test_the_error_of_a_rank_ends_all_and_is_shown(tmp_path: Path) -> None:
    config = write_config(tmp_path / "run.yaml", steps=100_000)
    write_encoded(tmp_path / "run")
    code = (
        "import os, trainer.pretrain as p\n"
        "from trainer.rank import as_rank\n"
        "import sys; sys.argv[0] = 'pretrain.py'\n"
        "train = p.Loop._train_step\n"
        "def fail(self):\n"
        "    if self.ranks.rank == 1 and self.step == 5: raise ValueError('the cause')\n"
        "    return train(self)\n"
        "p.Loop._train_step = fail\n"
        "exec(open('jobs/pretrain.py').read().replace('__name__ == \"__main__\"', 'True'))\n"
    )
    script = tmp_path / "fails.py"
    script.write_text(code, encoding="utf-8")
    settings = load(config, [], TrainConfig, foreign("trainer"))
    made = command("pretrain", settings.parallel, ["--config", str(config), f"run={tmp_path / 'run'}"], free_ports(1)[0], {})
    made[-4] = str(script)
    env = environment(settings.parallel, 2, os.environ)
    began = time.monotonic()
    ended = subprocess.run(made, env=env, cwd=ROOT, capture_output=True, text=True, timeout=200, check=False)
    assert ended.returncode != 0 and time.monotonic() - began < 100
    assert "error on rank 1" in ended.stderr and "ValueError: the cause" in ended.stderr
    assert "error on rank 0" not in ended.stderr
