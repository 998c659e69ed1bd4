"""What a run's time went into: model FLOPs utilisation with its formula and peak, the time left, the stall of checkpoints."""

from __future__ import annotations

import json
import resource
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from trainer import plan
from trainer.config import TrainConfig
from trainer.parallel.products import multiply, widens

FORMULA = "tokens/s a device x (6 (matrices in blocks + head) + 12 layers x heads' width x context) / peak"
_SIDE = 512
_SECONDS = 0.3


@dataclass(frozen=True)
class Peak:
    """What utilisation is a share of: TFLOP/s of one device, and who says so."""

    tflops: float
    source: str


def peak(config: TrainConfig, device: torch.device) -> Peak:
    """The stated peak of a GPU; a CPU has none worth the name, so this rank measures the matrix products that it trains by."""
    if device.type == "cuda":
        return Peak(config.plan.gpu_peak, f"plan.gpu_peak as stated, on {torch.cuda.get_device_name(device)}")
    precision = config.pretrain.precision
    kind = torch.bfloat16 if precision == "bf16" else torch.float32
    a, b = (torch.randn(_SIDE, _SIDE).to(kind) for _ in range(2))
    best, until = 0.0, time.monotonic() + _SECONDS
    while not best or time.monotonic() < until:
        began = time.perf_counter()
        multiply(a, b)
        best = max(best, 2 * _SIDE**3 / (time.perf_counter() - began))
    how = f"{precision} products of {_SIDE} x {_SIDE}{', computed in fp32' if widens(a) else ''}"
    return Peak(best / 1e12, f"{how}, {torch.get_num_threads()} threads, measured at start")


class Meter:
    """Turns the seconds of steps into rates. `seconds` of training and its `tokens` count over all starts of a run, not what
    a run that it grew from took; the time left is judged by this start alone."""

    def __init__(self, config: TrainConfig, device: torch.device) -> None:
        self.config, self.device, self.peak = config, device, peak(config, device)
        self.seconds, self.tokens = 0.0, 0
        self.flops = plan.flops_per_token_with_attention(config.model)
        self._tokens = self._taken = 0.0

    def go_on(self, seconds: float, tokens: int) -> None:
        """Counts on from what the starts before this one took."""
        self.seconds, self.tokens = seconds, tokens

    def about(self) -> dict[str, Any]:
        """The formula and what goes into it, for the manifest and the log."""
        return {
            "formula": FORMULA,
            "flops_per_token": self.flops,
            "peak_tflops": self.peak.tflops,
            "peak_source": self.peak.source,
            "devices": self.config.parallel.world,
        }

    def step(self, tokens: int, seconds: float, left: int) -> dict[str, float]:
        """One step of so many tokens, with `left` to go: what the log says of its speed."""
        self.seconds, self.tokens = self.seconds + seconds, self.tokens + tokens
        self._tokens, self._taken = self._tokens + tokens, self._taken + seconds
        rate = tokens / seconds
        return {"tokens_per_second": rate, **self._used(rate), "seconds_left": left * self._taken / self._tokens}

    def over(self) -> dict[str, float]:
        """The whole run's speed."""
        rate = self.tokens / self.seconds if self.seconds else 0.0
        return {"tokens_per_second": rate, **self._used(rate)}

    def _used(self, rate: float) -> dict[str, float]:
        tflops = self.flops * rate / self.config.parallel.world / 1e12
        return {"tflops": tflops, "mfu": tflops / self.peak.tflops, "memory_gb": memory(self.device) / 1e9}

    def goodput(self, folder: Path) -> float | None:
        """Share of the time since the run's first start that went into steps which were kept (where that start is known)."""
        began = folder / "began.json"
        if not began.exists():
            return None
        at = datetime.fromisoformat(json.loads(began.read_text(encoding="utf-8"))["at"])
        return min(1.0, self.seconds / max(1.0, (datetime.now(UTC) - at).total_seconds()))


def stalls(rows: Iterable[Mapping[str, Any]], training_seconds: float) -> dict[str, float]:
    """What the checkpoints of a log cost: training waits while one is written."""
    seconds = [float(row["checkpoint_seconds"]) for row in rows if "checkpoint_seconds" in row]
    total = sum(seconds)
    return {
        "written": len(seconds),
        "longest_seconds": max(seconds, default=0.0),
        "seconds": total,
        "share_of_time": total / (total + training_seconds) if total else 0.0,
    }


def memory(device: torch.device) -> float:
    """The most memory this process has held, in bytes: of the device, or of the host where that computes."""
    if device.type == "cuda":
        return float(torch.cuda.max_memory_allocated(device))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0
