"""A process that becomes a rank."""

from __future__ import annotations

import os

import deepspeed  # before the test changes where it is told to run
import pytest
import torch

from trainer.config import ParallelConfig
from trainer.parallel.start import start


@pytest.mark.parametrize(("devices", "taken"), [(0, "cpu"), (1, "cuda")])
def test_deepspeed_is_told_the_device_that_the_rank_takes(devices: int, taken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under WSL2 and ROCm a launcher finds no NVIDIA device where torch does."""
    assert deepspeed.accelerator.get_accelerator() is not None
    for name in ("RANK", "LOCAL_RANK", "MASTER_PORT"):
        monkeypatch.setenv(name, "0")
    for name in ("WORLD_SIZE", "LOCAL_SIZE"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    monkeypatch.setenv("DS_ACCELERATOR", "cuda" if taken == "cpu" else "cpu")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: devices)
    monkeypatch.setattr(torch.cuda, "set_device", lambda device: None)
    monkeypatch.setattr(torch, "set_num_threads", lambda threads: None)
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    assert start(ParallelConfig()).type == taken == os.environ["DS_ACCELERATOR"]
