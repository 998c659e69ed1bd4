"""Starts a world of ranks on this machine, runs one function on all of them and hands back what rank 0 returned.

A start costs several seconds (torch and DeepSpeed are imported in each rank), a further layout in the same world well under
one: tests that need many layouts run them in one world.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from trainer.config import ModelConfig, OptimizerConfig, ParallelConfig, PretrainConfig, TrainConfig

ROOT = Path(__file__).resolve().parents[2]
_LIMIT_SECONDS = 300


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
    shape = (config.pretrain.batch, 1)
    made = []
    for _ in range(steps):
        start = torch.randint(0, 60, shape, generator=generator)
        stride = torch.randint(1, 4, shape, generator=generator)
        made.append((start + stride * torch.arange(config.model.context + 1)) % 60)
    return made


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


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


def run(world: int, function: Callable[..., Any], *arguments: Any) -> Any:
    """`function(*arguments)` on `world` ranks, each a process of its own; rank 0's result. A rank that fails fails the test."""
    with tempfile.TemporaryDirectory() as folder:
        torch.save((function.__module__, function.__qualname__, arguments), f"{folder}/call.pt")
        port = free_port()
        ranks = [
            subprocess.Popen(
                [sys.executable, "-m", "tests.trainer.worlds", folder],
                env=environment(world, rank, port),
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            for rank in range(world)
        ]
        outputs = []
        try:
            for rank in ranks:
                outputs.append(rank.communicate(timeout=_LIMIT_SECONDS)[0])
        finally:
            for rank in ranks:
                rank.kill()
        failed = [(n, rank.returncode) for n, rank in enumerate(ranks) if rank.returncode]
        if failed:
            raise AssertionError(
                f"ranks failed: {failed}\n" + "\n".join(f"--- rank {n}\n{outputs[n][-3000:]}" for n, _ in failed)
            )
        return torch.load(f"{folder}/result.pt", weights_only=False)


def _main(folder: str) -> None:
    import importlib

    torch.set_num_threads(1)
    module, name, arguments = torch.load(f"{folder}/call.pt", weights_only=False)
    result = getattr(importlib.import_module(module), name)(*arguments)
    if os.environ["RANK"] == "0":
        torch.save(result, f"{folder}/result.pt")


if __name__ == "__main__":
    _main(sys.argv[1])
