"""Starts ranks: builds the `deepspeed` command with its environment, and runs a rank so that its own error is what is read."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from core.config import ConfigError
from trainer.config import ParallelConfig, TrainConfig, local_threads

_JOBS = Path(__file__).resolve().parent.parent / "jobs"
_SECONDS_FOR_THE_FIRST_ERROR = 20.0
# What the other ranks see when one dies; the launcher ends them, and they need not say it.
_CONSEQUENCES = (
    "Connection closed by peer",
    "Connection reset by peer",
    "Broken pipe",
    "Connection refused",
    "Socket closed",
    "remote process exited",
)


def free_port() -> int:
    """A port that is free now."""
    with socket.socket() as probe:
        probe.bind(("", 0))
        return int(probe.getsockname()[1])


def on_cuda(parallel: ParallelConfig) -> bool:
    """Whether ranks started here compute on CUDA devices."""
    if parallel.device == "auto":
        import torch

        return torch.cuda.is_available()
    return parallel.device == "cuda"


def environment(parallel: ParallelConfig, local_ranks: int, inherited: Mapping[str, str]) -> dict[str, str]:
    """The environment of a launcher on this host: its threads shared among the ranks, DeepSpeed told where it runs.

    `--bind_cores_to_rank` is not used: it needs numactl, and fails with more ranks than cores.
    """
    made = dict(inherited)
    made["OMP_NUM_THREADS"] = str(local_threads(parallel, local_ranks))
    made.setdefault("DS_ACCELERATOR", "cuda" if on_cuda(parallel) else "cpu")
    made.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    made.setdefault("TOKENIZERS_PARALLELISM", "false")
    return made


def command(name: str, parallel: ParallelConfig, given: Sequence[str], port: int | None = None) -> list[str]:
    """The command a user would type for all ranks on this host: deepspeed --num_gpus N ... jobs/NAME.py ..."""
    launcher = Path(sys.executable).with_name("deepspeed")
    return [
        str(launcher) if launcher.exists() else "deepspeed",
        "--log_level=error",
        f"--num_gpus={parallel.world}",
        f"--master_port={port or free_port()}",
        "--no_local_rank",
        str(_JOBS / f"{name}.py"),
        *given,
    ]


def launch(name: str, config: TrainConfig, given: Sequence[str]) -> int:
    """Runs a job on all ranks of this host and returns its exit status; `given` are the job's own arguments.

    Where no C++ compiler is, nothing changes: no operation of DeepSpeed's is compiled.
    """
    parallel = config.parallel
    root = str(_JOBS.parent)
    env = environment(parallel, parallel.world, os.environ)
    env["PYTHONPATH"] = os.pathsep.join([root, *filter(None, [env.get("PYTHONPATH")])])
    return subprocess.run(command(name, parallel, given), env=env, check=False).returncode


def as_rank(work: Callable[[], None]) -> None:
    """Runs a rank's work. One whose work fails says why and exits at once, without waiting for the others in any clean-up;
    one that fails because another is gone leaves the word to that one."""
    rank = os.environ.get("RANK", "0")
    try:
        work()
    except ConfigError as error:
        if rank == "0":
            print(f"error: {error}", file=sys.stderr, flush=True)
        _leave(2, rank)
    except KeyboardInterrupt:
        _leave(130, rank)
    except BaseException as error:
        if any(sign in str(error) for sign in _CONSEQUENCES):
            time.sleep(_SECONDS_FOR_THE_FIRST_ERROR)  # the launcher ends this rank before the time is over
            print(f"rank {rank}: lost the other ranks: {error}", file=sys.stderr, flush=True)
        else:
            known = type(error).__name__ in ("TrainingStopped", "CheckpointError", "TokenDataError", "DamagedShard")
            said = str(error) if known else "".join(traceback.format_exception(error))
            if not known or rank == "0":
                print(f"error on rank {rank}: {said}", file=sys.stderr, flush=True)
        _leave(1, rank)


def _leave(status: int, rank: str) -> None:
    """Ranks that all found the same error leave after the one that says it."""
    sys.stdout.flush()
    sys.stderr.flush()
    if rank != "0":
        time.sleep(1.0)
    os._exit(status)
