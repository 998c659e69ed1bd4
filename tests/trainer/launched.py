"""Runs that are started as a user would start them, and what they leave."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from core.config import load
from core.line import foreign
from core.run import Run
from trainer.checkpoint import Checkpoint
from trainer.config import TrainConfig
from trainer.launch import launch
from trainer.log import rows


def start(config: Path, run: Path, *overrides: str) -> int:
    given = ["--config", str(config), f"run={run}", *overrides]
    settings = load(config, given[2:], TrainConfig, foreign("trainer"))
    return launch("pretrain", settings, given)


def losses(run: Path) -> dict[int, tuple[float, float]]:
    return {row["step"]: (row["loss"], row["grad_norm"]) for row in rows(run / "pretrain/log.jsonl") if "loss" in row}


def manifest(run: Path) -> dict[str, Any]:
    return Run(str(run)).stage("pretrain").require()


def verify_all(checkpoint: Checkpoint) -> None:
    """Raises CheckpointError where a file is not what was written."""
    for file in checkpoint.files:
        checkpoint.verify(file)


def assert_same_curve(one: dict[int, tuple[float, float]], other: dict[int, tuple[float, float]]) -> None:
    assert one.keys() == other.keys()
    for step, (loss, norm) in one.items():
        assert abs(loss - other[step][0]) < 1e-5 and abs(norm - other[step][1]) < 1e-5, step


def ranks_of(run: Path) -> list[int]:
    """The processes that train in a run."""
    found = subprocess.run(["pgrep", "-f", f"jobs/pretrain.py.*run={run}"], capture_output=True, text=True, check=False)
    return [pid for pid in map(int, found.stdout.split()) if _is_rank(pid)]


def _is_rank(pid: int) -> bool:
    try:
        return (
            b"RANK=" in Path(f"/proc/{pid}/environ").read_bytes()
            and b"deepspeed" not in Path(f"/proc/{pid}/cmdline").read_bytes()
        )
    except OSError:
        return False
