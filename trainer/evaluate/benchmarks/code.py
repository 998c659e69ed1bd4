"""Generated programs: whether they end well, in a sandbox, and the unbiased pass@k.

A program runs in a child without network or sockets, with the file system read-only and people's folders hidden, in a process
space of its own in which it can start no other process, as no user with any right outside and without capabilities, with limits
on time, memory, files and output. Where the kernel refuses any of that, nothing is run.
"""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from core.config import ConfigError
from trainer.evaluate.benchmarks.config import CodeConfig
from trainer.evaluate.benchmarks.jail import MACHINES

_JAIL = Path(__file__).resolve().parent / "jail.py"
REFUSED = 97
"""The child's exit status where the kernel refuses the sandbox."""


def pass_at_k(samples: int, passed: int, k: int) -> float:
    """The chance that at least one of k programs out of `samples` drawn is among the `passed`: 1 - C(n-c, k) / C(n, k).

    The unbiased estimate of Chen et al., Evaluating Large Language Models Trained on Code, equation 1.
    """
    if not 1 <= k <= samples:
        raise ValueError(f"pass@{k} of {samples} samples: k must be from 1 to the number of samples.")
    return 1.0 - math.comb(samples - passed, k) / math.comb(samples, k)


def check_sandbox(limits: CodeConfig) -> None:
    """Raises ConfigError where programs cannot be run behind bars; asked before a model spends hours on writing them."""
    machine = os.uname().machine
    if machine not in MACHINES:
        raise ConfigError(
            f"benchmark.code.run: programs run behind bars on {' and '.join(MACHINES)} only, this machine is {machine}; leave "
            "HumanEval out with benchmark.code.run=false."
        )
    run_program("", limits)


def ends_well(programs: Sequence[str], limits: CodeConfig) -> list[bool]:
    """Whether each program ends with status 0 within the limits. Raises ConfigError where there is no sandbox to be had."""
    return [run_program(program, limits) == 0 for program in programs]


def run_program(program: str, limits: CodeConfig) -> int:
    """The exit status of a program in the sandbox; negative where a signal or the clock ended it."""
    command = [sys.executable, "-I", "-S", str(_JAIL), str(limits.seconds), str(limits.megabytes), str(REFUSED)]
    # The program comes over stdin; what it prints is nobody's business. No variable of ours reaches it.
    child = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={"LANG": "C.UTF-8"}, cwd="/", start_new_session=True, close_fds=True,
    )  # fmt: skip
    try:
        child.communicate(program.encode("utf-8", "replace"), timeout=limits.seconds + 5)
    except subprocess.TimeoutExpired:
        child.kill()  # the program dies with it
        child.wait()
        return -9
    if child.returncode == REFUSED:
        raise ConfigError(
            "benchmark.code.run: this kernel gives no sandbox (namespaces without network, read-only file system, seccomp); "
            "run it where unprivileged user namespaces are allowed, or leave HumanEval out with benchmark.code.run=false."
        )
    return child.returncode
