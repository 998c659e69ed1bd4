"""The one device that a network is evaluated on. Nothing is split here, so it must hold all of the weights."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from core.config import ConfigError
from trainer.evaluate.benchmarks.config import BenchmarkConfig
from trainer.evaluate.config import EvaluateConfig

_TYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


@dataclass(frozen=True)
class Place:
    """A device and the precision of the weights on it, by the settings of a section."""

    section: str
    device: torch.device
    precision: str

    @classmethod
    def of(cls, section: str, settings: EvaluateConfig | BenchmarkConfig) -> Place:
        """Raises ConfigError where the settings ask for a device that is not there."""
        there = torch.cuda.is_available()
        if settings.device == "cuda" and not there:
            raise ConfigError(f"{section}.device = cuda: this machine has no CUDA device that torch can use; use cpu or auto.")
        return cls(section, torch.device("cuda" if there and settings.device != "cpu" else "cpu"), settings.precision)

    @property
    def dtype(self) -> torch.dtype:
        return _TYPES[self.precision]

    def check(self, parameters: int, whose: str) -> None:
        """Raises ConfigError where the weights alone are more than a GPU has free; `whose` begins the sentence.

        Asked before they are read. Of the host's memory no more is known than the system gives out.
        """
        if self.device.type != "cuda":
            return
        torch.cuda.empty_cache()  # what a network before this one held is free, though torch keeps it
        free, total = torch.cuda.mem_get_info(self.device)
        size = {name: parameters * dtype.itemsize for name, dtype in _TYPES.items()}
        if size[self.precision] <= free:
            return
        fits = f"{self.section}.precision=bf16 ({size['bf16'] / 1e9:,.1f} GB) or " if size["bf16"] <= free else ""
        raise ConfigError(
            f"{whose}: {parameters:,} parameters in {self.precision} take {size[self.precision] / 1e9:,.1f} GB, the GPU has "
            f"{free / 1e9:,.1f} of {total / 1e9:,.1f} GB free, and a network is evaluated on one device; use {fits}"
            f"{self.section}.device=cpu."
        )
