"""Starts a world of ranks on this machine, runs functions on all of them and hands back what rank 0 returned.

A start costs several seconds (torch and DeepSpeed are imported in each rank), a further layout in the same world well under
one: tests run many layouts in one call, and all calls for a number of ranks go to the same processes.
"""

from __future__ import annotations

import atexit
import ctypes
import importlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from core.ports import free_ports
from trainer.config import ModelConfig, OptimizerConfig, ParallelConfig, PretrainConfig, TrainConfig

ROOT = Path(__file__).resolve().parents[2]
_LIMIT_SECONDS = 300
_PR_SET_PDEATHSIG = 1


def tiny(
    parallel: ParallelConfig | None = None,
    steps: int = 20,
    batch: int = 8,
    precision: Any = "fp32",
    clip: float = 0.2,
    **model: Any,
) -> TrainConfig:
    """A network small enough to train in a test, with muP at m = 2, multipliers that are not 1 and clipping that acts."""
    shape: dict[str, Any] = dict(
        layers=2,
        hidden=32,
        heads=4,
        ffn=48,
        vocab=60,
        vocab_multiple=16,
        context=16,
        base_hidden=16,
        init_std=0.05,
        init_std_matrix=0.1,
        input_mult=2.0,
        output_mult=0.7,
    )
    return TrainConfig(
        seed=5,
        model=ModelConfig(**{**shape, **model}),
        parallel=parallel or ParallelConfig(micro_batch=batch),
        pretrain=PretrainConfig(
            steps=steps, batch=batch, precision=precision, optimizer=OptimizerConfig(lr=3e-3, lr_matrix=8e-3, clip=clip)
        ),
    )


def batches(config: TrainConfig, steps: int, seed: int = 3) -> list[torch.Tensor]:
    """Token ids [batch, context + 1] for each step, with something to learn: runs that count upwards."""
    generator = torch.Generator().manual_seed(seed)
    made = []
    for step in range(1, steps + 1):
        shape = (config.pretrain.batch_at(step), 1)
        start = torch.randint(0, 60, shape, generator=generator)
        stride = torch.randint(1, 4, shape, generator=generator)
        made.append((start + stride * torch.arange(config.model.context + 1)) % 60)
    return made


def environment(world: int, rank: int, port: int) -> dict[str, str]:
    """What a launcher would set for a rank."""
    return {
        **os.environ,
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": str(world),
        "LOCAL_SIZE": str(world),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "OMP_NUM_THREADS": "1",
        "DS_ACCELERATOR": "cpu",
        "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]),
        "TORCH_CPP_LOG_LEVEL": "ERROR",
    }


class _World:
    """Ranks that stay alive and take one call after another: each start would import torch and DeepSpeed in every rank."""

    def __init__(self, size: int) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.logs = [Path(self.folder.name) / f"rank-{rank}.log" for rank in range(size)]
        self.calls = 0
        port = free_ports(1)[0]
        self.ranks = []
        for rank, log in enumerate(self.logs):
            with log.open("w") as output:
                self.ranks.append(
                    subprocess.Popen(
                        [sys.executable, "-m", "tests.trainer.worlds"], env=environment(size, rank, port), cwd=ROOT,
                        stdin=subprocess.PIPE, stdout=output, stderr=subprocess.STDOUT, text=True,
                    )
                )  # fmt: skip

    def call(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        self.calls += 1
        folder = Path(self.folder.name) / str(self.calls)
        folder.mkdir()
        torch.save((function.__module__, function.__qualname__, arguments), folder / "call.pt")
        for rank in self.ranks:
            assert rank.stdin is not None
            rank.send_signal(signal.SIGCONT)
            rank.stdin.write(f"{folder}\n")
            rank.stdin.flush()
        limit = time.monotonic() + _LIMIT_SECONDS
        while len(list(folder.glob("done-*"))) < len(self.ranks):
            ended = [number for number, rank in enumerate(self.ranks) if rank.poll() is not None]
            if ended or time.monotonic() > limit:
                time.sleep(1.0)
                said = "\n".join(f"--- rank {number}\n{log.read_text()[-3000:]}" for number, log in enumerate(self.logs))
                raise AssertionError(f"ranks {ended or 'none'} ended, the others did not finish\n{said}")
            time.sleep(0.02)
        # Every process group that an engine has made leaves threads that wake a hundred times a second: after fifty layouts,
        # ranks that only wait for their next call would keep both cores of a small machine busy.
        for rank in self.ranks:
            rank.send_signal(signal.SIGSTOP)
        return torch.load(folder / "result.pt", weights_only=False)

    def end(self) -> None:
        for rank in self.ranks:
            rank.kill()
            rank.wait()
        self.folder.cleanup()


_worlds: dict[int, _World] = {}


def run(world: int, function: Callable[..., Any], *arguments: Any) -> Any:
    """`function(*arguments)` on `world` ranks, each a process of its own; rank 0's result. A rank that fails fails the test."""
    if world not in _worlds:
        _worlds[world] = _World(world)
    try:
        return _worlds[world].call(function, arguments)
    except BaseException:
        _worlds.pop(world).end()
        raise


@atexit.register
def _end_all() -> None:
    for world in _worlds.values():
        world.end()
    _worlds.clear()


def _main() -> None:
    """A rank: folders with calls come in on stdin, one a line."""
    torch.set_num_threads(1)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # one that is stopped would not see that its tests are gone
    for line in sys.stdin:
        folder = Path(line.strip())
        module, name, arguments = torch.load(folder / "call.pt", weights_only=False)
        result = getattr(importlib.import_module(module), name)(*arguments)
        if os.environ["RANK"] == "0":
            torch.save(result, folder / "result.pt")
        (folder / f"done-{os.environ['RANK']}").touch()


if __name__ == "__main__":
    _main()
