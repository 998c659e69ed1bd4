"""A process becomes a rank: device, threads, process group, and DeepSpeed kept quiet."""

from __future__ import annotations

import logging
import os
import warnings
from datetime import timedelta

import torch

from core.config import ConfigError
from trainer.config import ParallelConfig, local_threads

# A collective that waits too long is named by the watchdog, with what the rank was doing; the backend says less.
_AFTER_THE_WATCHDOG = timedelta(minutes=1)


def device_of(parallel: ParallelConfig) -> torch.device:
    """The device of this rank, by LOCAL_RANK."""
    local, local_size = int(os.environ.get("LOCAL_RANK", 0)), int(os.environ.get("LOCAL_SIZE", 1))
    kind = parallel.device
    if kind == "auto":
        kind = "cuda" if torch.cuda.device_count() >= local_size else "cpu"
    if kind == "cuda" and local >= torch.cuda.device_count():
        raise ConfigError(
            f"parallel.device = cuda: local rank {local} has no device, {torch.cuda.device_count()} are here; "
            "start fewer ranks a node or use cpu."
        )
    return torch.device("cuda", local) if kind == "cuda" else torch.device("cpu")


def start(parallel: ParallelConfig) -> torch.device:
    """Joins the process group that the launcher describes in the environment, and returns this rank's device.

    On CPU DeepSpeed would compile a shared-memory operation first (a minute, and a crash without a C++ compiler): it is
    declared unavailable before it is asked for, and gloo does the work.
    """
    world = int(os.environ.get("WORLD_SIZE", 1))
    if world != parallel.world:
        raise ConfigError(
            f"parallel.tensor x pipeline x data = {parallel.tensor} x {parallel.pipeline} x {parallel.data} = {parallel.world} "
            f"does not match the {world} ranks that were started; start {parallel.world} or change parallel.data."
        )
    device = device_of(parallel)
    os.environ["DS_ACCELERATOR"] = device.type  # whatever a launcher took this host for
    for name, value in (
        ("RANK", "0"),
        ("LOCAL_RANK", "0"),
        ("WORLD_SIZE", "1"),
        ("MASTER_ADDR", "127.0.0.1"),
        ("MASTER_PORT", "0"),
    ):
        os.environ.setdefault(name, value)
    import deepspeed

    quiet()
    torch.set_num_threads(local_threads(parallel, int(os.environ.get("LOCAL_SIZE", 1))))
    if device.type == "cpu":
        deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False
    else:
        torch.cuda.set_device(device)
    if not torch.distributed.is_initialized():
        backend = "nccl" if device.type == "cuda" else "gloo"
        timeout = timedelta(minutes=parallel.timeout_minutes) + _AFTER_THE_WATCHDOG
        deepspeed.init_distributed(backend, timeout=timeout, auto_mpi_discovery=False, verbose=False)
    return device


def quiet() -> None:
    """Leaves DeepSpeed's warnings about what is wrong, not its diary."""
    logging.getLogger("DeepSpeed").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="deepspeed")
    warnings.filterwarnings("ignore", category=FutureWarning, module="torch.distributed")
