"""Peak memory of the training engine, measured in a process of its own; `python -m benchmarks._train_memory JSON` prints it.

On a GPU the allocator's own count. On a CPU the resident set's high-water mark above what the libraries took before the engine
was built, with malloc told to give every large block back at once.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from core.config import build, plain
from trainer.config import TrainConfig

ROOT = Path(__file__).resolve().parents[1]
_LARGE = "65536"  # bytes from which glibc maps a block by itself, and unmaps it when it is freed


def measure(config: TrainConfig, steps: int = 2) -> dict[str, float]:
    """Bytes above the start: `states`, after a step and with no activations alive; `peak`, over all steps."""
    asked = json.dumps({"config": plain(config), "steps": steps})
    environment = {**os.environ, "MALLOC_MMAP_THRESHOLD_": _LARGE, "MALLOC_TRIM_THRESHOLD_": _LARGE, "MALLOC_ARENA_MAX": "1"}
    command = [sys.executable, "-m", "benchmarks._train_memory", asked]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the measured process ended with status {done.returncode}:\n{done.stderr[-3000:]}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _held(device: torch.device, peak: bool) -> float:
    if device.type == "cuda":
        return float(torch.cuda.max_memory_allocated(device) if peak else torch.cuda.memory_allocated(device))
    name = "VmHWM:" if peak else "VmRSS:"
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return 1024.0 * next(int(line.split()[1]) for line in lines if line.startswith(name))


def _start_again(device: torch.device) -> None:
    """The high-water mark falls to what is held now."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    else:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def main(asked: str) -> None:
    from trainer.parallel.engine import Batch, Engine
    from trainer.parallel.ranks import place
    from trainer.parallel.start import start

    given: dict[str, Any] = json.loads(asked)
    config = build(TrainConfig, given["config"])
    device = start(config.parallel)
    ranks = place(config.parallel, device)
    before = states = 0.0
    # The first network is next to nothing: what is held after it has trained, the libraries hold.
    for network in (replace(config.model, layers=1, hidden=16, heads=2, ffn=16, context=16), config.model):
        engine = Engine(replace(config, model=network), ranks)
        generator = torch.Generator().manual_seed(1)
        _start_again(device)
        for _ in range(given["steps"]):
            tokens = torch.randint(0, network.vocab or 1, (config.pretrain.batch, network.context + 1), generator=generator)
            engine.step(Batch(tokens, torch.zeros(len(tokens), dtype=torch.int64)))
            states = _held(device, peak=False)
        peak = _held(device, peak=True)
        if network is not config.model:
            engine.deepspeed.destroy()
            before = states
    print(json.dumps({"states": states - before, "peak": peak - before}))


if __name__ == "__main__":
    main(sys.argv[1])
