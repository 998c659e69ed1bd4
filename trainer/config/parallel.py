"""How the work is laid out over processes, and what a layout is asked about."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Literal

from core.config import ConfigError, setting
from trainer.config.checks import at_least, within

# Logits that the loss holds at once on a rank: on a CPU few enough for its caches, on a GPU enough to fill it (0.5 GB in fp32).
CHUNK_ELEMENTS = {"cpu": 1 << 22, "cuda": 1 << 27}


@dataclass(frozen=True)
class ParallelConfig:
    """How the work is laid out over processes; none of it changes what is computed."""

    tensor: int = setting(1, "ranks that share each matrix; keep them within one node")
    pipeline: int = setting(1, "stages that share the layers")
    data: int = setting(1, "copies of tensor x pipeline ranks, each with its own sequences")
    sequence: bool = setting(False, "Megatron sequence parallelism: between matrices the tensor ranks share the sequence")
    micro_batch: int = setting(1, "sequences of one forward pass; the rest of a rank's share is accumulated")
    zero: int = setting(1, "ZeRO stage; only 1 (optimizer states shared among the data ranks)")
    recompute: Literal["none", "selective", "full"] = setting(
        "none", "activations made anew in the backward pass: none, the element-wise ones, or whole blocks"
    )
    device: Literal["auto", "cpu", "cuda"] = setting(
        "auto", "where ranks compute; auto takes CUDA where there is a device for every local rank"
    )
    threads: int | None = setting(None, "CPU threads a rank; null shares the host's cores among its ranks")
    hostfile: str | None = setting(None, "lines of `host slots=N`, one a node; null starts all ranks on this host")
    include: str | None = setting(
        None, "the hostfile's devices that are used, for example node1:0,1@node2:0,1 (DeepSpeed's form); null is all of them"
    )
    restarts: int = setting(0, "how often a run whose ranks died is started again, from its newest whole checkpoint")
    timeout_minutes: float = setting(10.0, "a step, validation batch or checkpoint that takes this long ends the run")

    def __post_init__(self) -> None:
        for name in ("tensor", "pipeline", "data", "micro_batch"):
            at_least(name, getattr(self, name), 1)
        if self.zero in (2, 3):
            raise ConfigError(
                f"zero = {self.zero} shards gradients or weights inside a step, which a pipeline's accumulated micro-batches "
                "cannot use; use zero = 1 and more tensor or pipeline ranks, which shard both."
            )
        if self.zero != 1:
            raise ConfigError(f"zero = {self.zero} gives a wrong gradient norm with a pipeline; use 1.")
        if self.threads is not None:
            at_least("threads", self.threads, 1)
        at_least("restarts", self.restarts, 0)
        within("timeout_minutes", self.timeout_minutes, 0.01, 10_080.0)  # a week
        if self.include is not None and self.hostfile is None:
            raise ConfigError(f"include = {self.include} names devices of a hostfile; give parallel.hostfile too.")

    @property
    def world(self) -> int:
        return self.tensor * self.pipeline * self.data


@dataclass(frozen=True)
class PlanConfig:
    """What `make plan` is asked about."""

    tokens: float = setting(2e12, "token budget")
    gpu_memory: float = setting(80.0, "memory of one device, GB (10^9 bytes)")
    gpu_peak: float = setting(312.0, "dense bf16 peak of one device, TFLOP/s")
    mfu: float = setting(0.437, "share of the peak that is reached, by 6N FLOPs a token")

    def __post_init__(self) -> None:
        within("mfu", self.mfu, 0.001, 1.0)


def local_threads(parallel: ParallelConfig, local_ranks: int) -> int:
    """CPU threads for each of `local_ranks` ranks of one host."""
    return parallel.threads or max(1, (os.cpu_count() or 1) // max(1, local_ranks))
