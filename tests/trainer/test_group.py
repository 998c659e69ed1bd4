"""What a command has started ends with it, and with the process that ran it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from core.config import load
from core.line import foreign
from tests.trainer.tokens import write_config, write_encoded
from trainer import group, launch
from trainer.config import TrainConfig

ROOT = Path(__file__).resolve().parents[2]


def runner(folder: Path) -> list[str]:
    """A command which, as `deepspeed` does, starts a process that starts a rank; each writes its number down."""
    for name, rest in (("runner", "sh launcher.sh; true"), ("launcher", "sh rank.sh; true"), ("rank", "exec sleep 300")):
        (folder / f"{name}.sh").write_text(f"cd {folder}; echo $$ > {name}; {rest}", encoding="utf-8")
    return ["sh", str(folder / "runner.sh")]


def supervised(command: list[str]) -> list[str]:
    return [sys.executable, "-c", f"import os\nfrom trainer.group import run\nraise SystemExit(run({command}, os.environ))"]


def process(folder: Path, name: str) -> int:
    until = time.monotonic() + 300
    while not (there := folder / name).exists() or not there.read_text():
        assert time.monotonic() < until
        time.sleep(0.05)
    return int(there.read_text())


def state(pid: int) -> str:
    """R or S: it runs; T: it is stopped; Z: it has ended, and nobody has asked how."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return "Z"


def runs(pid: int) -> bool:
    return state(pid) != "Z"


@pytest.mark.parametrize("number, status", [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)])
def test_a_supervisor_that_is_told_to_end_ends_the_ranks(tmp_path: Path, number: signal.Signals, status: int) -> None:
    config, run = write_config(tmp_path / "run.yaml"), tmp_path / "run"
    write_encoded(run)
    code = f"from trainer import launch\nlaunch.command = lambda *_: {runner(tmp_path)}\nlaunch.main()"
    supervisor = subprocess.Popen(
        [sys.executable, "-c", code, "--config", str(config), f"run={run}", "parallel.restarts=3"], cwd=ROOT,
        stderr=subprocess.PIPE, text=True, preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),  # these tests under nohup
    )  # fmt: skip
    pids = [process(tmp_path, name) for name in ("rank", "launcher", "runner")]
    assert all(map(runs, pids))
    supervisor.send_signal(number)
    said = supervisor.communicate(timeout=300)[1]
    assert supervisor.returncode == status and not any(map(runs, pids))
    assert "started again" not in said and ("goes on from here" in said) == (number == signal.SIGINT)


def test_nothing_outlives_a_supervisor_that_was_killed(tmp_path: Path) -> None:
    supervisor = subprocess.Popen(supervised(runner(tmp_path)), cwd=ROOT)
    pids = [process(tmp_path, name) for name in ("rank", "launcher", "runner")]
    supervisor.kill()
    supervisor.wait()
    until = time.monotonic() + 300
    while any(map(runs, pids)):
        assert time.monotonic() < until
        time.sleep(0.05)


def test_no_guard_is_left_behind() -> None:
    code = (
        "import os\nfrom trainer import group\nmade, popen = [], group.subprocess.Popen\n"
        "group.subprocess.Popen = lambda *a, **k: made.append(popen(*a, **k)) or made[-1]\n"
        "assert group.run(['true'], os.environ) == 0\nassert [one.returncode for one in made] == [0, 0], made"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_a_supervisor_that_pauses_pauses_the_ranks(tmp_path: Path) -> None:
    with subprocess.Popen(supervised(runner(tmp_path)), cwd=ROOT) as supervisor:
        rank = process(tmp_path, "rank")
        for number, stopped in ((signal.SIGTSTP, True), (signal.SIGCONT, False)):
            supervisor.send_signal(number)
            until = time.monotonic() + 300
            while any((state(pid) == "T") != stopped for pid in (rank, supervisor.pid)):
                assert time.monotonic() < until, number
                time.sleep(0.05)
        supervisor.terminate()
    assert supervisor.returncode == 143 and not runs(rank)


def test_nothing_outlives_a_launcher_that_was_killed(tmp_path: Path) -> None:
    supervisor = subprocess.Popen(supervised(runner(tmp_path)), cwd=ROOT)
    rank = process(tmp_path, "rank")
    os.kill(process(tmp_path, "launcher"), signal.SIGKILL)
    assert supervisor.wait(300) == 0, "so does DeepSpeed's runner end"
    assert not runs(rank)
    assert group.run(["sh", "-c", "kill -9 $$"], os.environ) == 128 + 9


def test_an_end_with_status_0_before_the_run_is_done_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    config, run = write_config(tmp_path / "run.yaml"), tmp_path / "run"
    write_encoded(run)
    given = [f"run={run}", "parallel.restarts=1"]
    settings = load(config, given, TrainConfig, foreign("trainer"))
    monkeypatch.setattr(launch, "_SECONDS_BETWEEN_STARTS", 0.0)
    monkeypatch.setattr(launch, "command", lambda *_: ["true"])
    assert launch.launch("pretrain", settings, given) == 1
    said = capfd.readouterr().err
    assert said.count("pretrain: ended before it was done, its launcher was killed.") == 2 and "started again, 1 of 1" in said

    # Another node than the first cannot tell.
    hosts = tmp_path / "hosts"
    hosts.write_text("first slots=1\nsecond slots=1\n", encoding="utf-8")
    two = load(config, [*given, f"parallel.hostfile={hosts}"], TrainConfig, foreign("trainer"))
    monkeypatch.setenv("NODE_RANK", "1")
    assert launch.launch("pretrain", two, given) == 0
    assert (run / "launch/ended-0.0-0-1").read_text() == "0"
    monkeypatch.delenv("NODE_RANK")

    work = "import json, sys; json.dump({'fingerprint': sys.argv[1]}, open(sys.argv[2], 'w'))"
    (run / "pretrain").mkdir(exist_ok=True)
    made = [sys.executable, "-c", work, launch.fingerprint_of(settings), str(run / "pretrain/manifest.json")]
    monkeypatch.setattr(launch, "command", lambda *_: made)
    assert launch.launch("pretrain", settings, given) == 0
