"""Model FLOPs utilisation on one GPU at 0.3B and 1B parameters, 4,096 tokens of context, bf16; beside a plain eager loop.

MFU = tokens/s x (6 (matrices in blocks + V h) + 12 L h s) / the dense bf16 peak given by --peak (TFLOP/s), which is the
reference; the measured rate of large matrix products is printed beside it.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import torch

from benchmarks._train_speed import Shape, matrix_rate, measure
from core.config import ConfigError
from trainer.config import ModelConfig
from trainer.plan import flops_per_token_with_attention, parameters

SHAPES = {
    "0.3B": Shape(20, 1024, 16, 2816, 32768, 4096, batch=32, micro_batch=8, device="cuda"),
    "1B": Shape(20, 2048, 16, 5632, 32768, 4096, batch=16, micro_batch=4, device="cuda"),
}


def main(arguments: list[str]) -> Iterable[dict[str, Any]]:
    asked = argparse.ArgumentParser(prog="train-speed-gpu", description=__doc__)
    asked.add_argument("--peak", type=float, default=989.0, help="dense bf16 peak, TFLOP/s (H100/H200 SXM: 989, A100: 312)")
    asked.add_argument("--steps", type=int, default=8)
    asked.add_argument("--recompute", default="none", choices=["none", "selective", "full"])
    asked.add_argument("--micro-batch", type=int, default=None)
    asked.add_argument("--sizes", nargs="*", default=list(SHAPES))
    asked.add_argument("--corpus", help="not used")
    given = asked.parse_args(arguments)
    if not torch.cuda.is_available():
        raise ConfigError("train-speed-gpu: this machine has no CUDA device; run it on one that has.")
    name = torch.cuda.get_device_name()
    rate = matrix_rate("cuda", size=8192) / 1e12
    for size in given.sizes:
        shape = replace(SHAPES[size], recompute=given.recompute)
        if given.micro_batch:
            shape = replace(shape, micro_batch=given.micro_batch)
        model = ModelConfig(
            layers=shape.layers, hidden=shape.hidden, heads=shape.heads, ffn=shape.ffn, vocab=shape.vocab, context=shape.context
        )
        for engine in ("ours", "eager"):
            found = measure(engine, shape if engine == "ours" else replace(shape, micro_batch=2), given.steps, warm=3)
            reached = found["tokens_per_second"] * flops_per_token_with_attention(model) / 1e12
            yield {
                "name": f"train-speed-gpu: {engine}, {size} ({parameters(model) / 1e9:.2f}B), {name}, "
                f"{found['tokens_per_second']:,.0f} tokens/s, {found['memory_gb']:.1f} GB, matrix products {rate:.0f} TFLOP/s",
                "value": round(reached, 1), "unit": "TFLOP/s", "reference": "stated dense bf16 peak",
                "reference_value": given.peak, "ratio": round(reached / given.peak, 4),
            }  # fmt: skip
