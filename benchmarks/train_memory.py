"""Peak memory of a training step on one device, measured, beside what `make plan` says for the same configuration.

Small networks of different proportions: much or little of everything kept for the backward pass, fp32 and bf16. The ratio is
measured / planned: 1 is a plan that is right, the bar is 0.9 to 1.1.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from typing import Any

import torch

from benchmarks._train_memory import measure
from trainer import plan
from trainer.config import ModelConfig, ParallelConfig, PretrainConfig, TrainConfig

MODELS = {
    "cpu": ModelConfig(layers=6, hidden=384, heads=6, ffn=1024, vocab=8192, context=512, vocab_multiple=1),
    "cuda": ModelConfig(layers=20, hidden=1024, heads=8, ffn=2816, vocab=32768, context=4096, vocab_multiple=1),
}
CASES: list[tuple[Any, Any, int]] = [("fp32", "none", 4), ("fp32", "full", 4), ("fp32", "selective", 4), ("bf16", "none", 1)]


def case(device: Any, precision: Any, recompute: Any, micro_batch: int) -> TrainConfig:
    """Two micro-batches a step."""
    return TrainConfig(
        model=MODELS[device],
        parallel=ParallelConfig(micro_batch=micro_batch, recompute=recompute, device=device),
        pretrain=PretrainConfig(batch=2 * micro_batch, precision=precision),
    )


def main(arguments: list[str]) -> Iterable[dict[str, Any]]:
    asked = argparse.ArgumentParser(prog="train-memory", description=__doc__)
    asked.add_argument("--device", choices=list(MODELS), default="cuda" if torch.cuda.is_available() else "cpu")
    asked.add_argument("--precision", choices=["fp32", "bf16"], nargs="*", default=["fp32", "bf16"])
    asked.add_argument("--corpus", help="not used")
    given = asked.parse_args(arguments)
    for precision, recompute, micro_batch in CASES:
        if precision not in given.precision:
            continue
        config = case(given.device, precision, recompute, micro_batch)
        found, planned = measure(config), plan.memory(config)
        parts = ", ".join(f"{name} {value / 1e6:.0f}" for name, value in vars(planned).items())
        yield {
            "name": f"train-memory: {given.device}, {plan.parameters(config.model) / 1e6:.0f}M parameters, {precision}, "
            f"recompute {recompute}; planned: {parts}; measured between steps {found['states'] / 1e6:.0f}",
            "value": round(found["peak"] / 1e6, 1), "unit": "MB", "reference": "plan",
            "reference_value": round(planned.total / 1e6, 1), "ratio": round(found["peak"] / planned.total, 3),
        }  # fmt: skip
