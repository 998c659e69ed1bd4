"""Starts the process that scores checkpoints beside a training run; imports no torch."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from trainer.config import TrainConfig
from trainer.evaluate.benchmarks.score import check_folder

_JOB = Path(__file__).resolve().parents[3] / "jobs" / "follow.py"


@contextmanager
def followed(config: TrainConfig, given: Sequence[str]) -> Iterator[None]:
    """Scores checkpoints while the body trains, where `benchmark.folder` is set; then waits for the last scores.

    `given` is the job's command line. The process knows by the end of its input that training is over, also when the one
    that trains was killed. Raises ConfigError before the body where files are missing, or cannot be read.
    """
    if not config.benchmark.folder or not config.benchmark.follow.names:
        yield
        return
    check_folder(replace(config.benchmark, names=config.benchmark.follow.names))  # before training, not beside it
    # What an evaluation takes by itself, the first GPU, is what training has filled.
    named = config.benchmark.follow.device
    kind, devices = ("cpu", "") if named == "cpu" else ("cuda", named)
    command = [sys.executable, str(_JOB), *given, f"benchmark.device={kind}", f"evaluate.device={kind}", "--while-fed"]
    follower = subprocess.Popen(command, stdin=subprocess.PIPE, env={**os.environ, "CUDA_VISIBLE_DEVICES": devices})
    assert follower.stdin is not None
    try:
        yield
    finally:
        follower.stdin.close()
        if status := follower.wait():
            said = f"evolution: the scores of checkpoints beside training ended with status {status}, its error stands above; "
            print(said + "`make follow` makes those of the checkpoints that are left.", file=sys.stderr, flush=True)
