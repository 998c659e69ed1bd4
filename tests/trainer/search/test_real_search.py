"""A real search, killed with all its trials in the midst of one, ends as one that nobody disturbed."""

from __future__ import annotations

import json
import os
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

CONFIG: dict[str, Any] = {
    "model": {"layers": 1, "hidden": 16, "heads": 2, "ffn": 32, "context": 32, "vocab_multiple": 16, "base_hidden": 16},
    "parallel": {"micro_batch": 8, "device": "cpu", "threads": 1},
    "pretrain": {
        "steps": 40, "batch": 8, "validate_every": 0, "save_every": 10, "norms_every": 0,
        "optimizer": {"lr": 1e-2, "lr_matrix": 1e-2},
    },
    "search": {"grid": {"lr_matrix": [2e-3, 1e-2, 1e30]}, "probe": 1.0, "early_stop": {"rungs": []}, "slots": 2},
}  # fmt: skip


def start(run: Path) -> subprocess.Popen[bytes]:
    config = run / "search.yaml"
    config.write_text(yaml.safe_dump(CONFIG), encoding="utf-8")
    command = [sys.executable, "jobs/search.py", "--config", str(config), f"run={run}"]
    return subprocess.Popen(command, cwd=ROOT, start_new_session=True)


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
    limit = time.monotonic() + 120
    while not any(step > 15 for step in last_steps(killed).values()):
        assert held.poll() is None and time.monotonic() < limit
        time.sleep(0.05)
    os.killpg(held.pid, signal.SIGKILL)  # the search and the trials it had started
    held.wait()
    assert not (killed / "search/table.json").exists()
    assert start(killed).wait() == 0
    tables = [json.loads((run / "search/table.json").read_text()) for run in (whole, killed)]
    assert tables[0] == tables[1]
    assert [row["status"] for row in tables[0]["trials"]] == ["finished", "finished", "broke"]
    assert "goes on from step-" in "".join(path.read_text() for path in killed.glob("search/trials/*/output.txt"))

    before = {path: path.stat().st_mtime_ns for path in killed.glob("search/trials/*/pretrain/manifest.json")}
    assert start(killed).wait() == 0
    assert before == {path: path.stat().st_mtime_ns for path in before} and len(before) == 2  # no trial a second time
