"""Training speed on this CPU: our engine beside a plain eager loop and transformers' Llama, and as a share of its GEMM.

32 million parameters, 16,384 tokens a step, all cores; bf16 with fp32 masters, but fp32 on a processor whose matrix
products are slower in bf16 (it has no such arithmetic). There `--precision bf16` takes the peers 20 minutes a step; tokens/s at
a smaller --batch and --micro-batch says the same, as all engines have the same. The engines take turns, so that a noisy machine
is noisy for all; the figure is each one's best turn. What a second of a core gives, which other programs disturb less, stands
beside it.
FLOPs a token: 6 (matrices in blocks + V h) + 12 L h s.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from benchmarks._train_speed import ENGINES, Shape, matrix_rate, measure
from trainer.config import ModelConfig
from trainer.plan import flops_per_token_with_attention, parameters

SHAPE = Shape(layers=6, hidden=512, heads=8, ffn=1376, vocab=12288, context=512, batch=32, micro_batch=8)


def main(arguments: list[str]) -> Iterable[dict[str, Any]]:
    asked = argparse.ArgumentParser(prog="train-speed-cpu", description=__doc__)
    asked.add_argument("--steps", type=int, default=1, help="steps measured a turn, after one micro-batch")
    asked.add_argument("--turns", type=int, default=2, help="turns of each engine")
    asked.add_argument("--precision", choices=["bf16", "fp32"], help="by itself: the one whose matrix products are faster")
    asked.add_argument("--batch", type=int, default=SHAPE.batch, help=f"sequences of {SHAPE.context} tokens a step")
    asked.add_argument("--micro-batch", type=int, default=SHAPE.micro_batch, help="sequences a forward pass")
    asked.add_argument("--corpus", help="not used")
    given = asked.parse_args(arguments)
    best: dict[str, float] = {}
    per_core: dict[str, float] = {}
    rates = {precision: matrix_rate("cpu", precision) for precision in ("bf16", "fp32")}
    precision = given.precision or max(rates, key=rates.__getitem__)
    shape = replace(SHAPE, precision=precision, batch=given.batch, micro_batch=given.micro_batch)
    rate = rates[precision]
    for _ in range(given.turns):
        for engine in ENGINES:
            found = measure(engine, shape, given.steps)
            best[engine] = max(best.get(engine, 0.0), found["tokens_per_second"])
            per_core[engine] = max(per_core.get(engine, 0.0), found["tokens_per_cpu_second"])
            said = f"{found['tokens_per_second']:,.0f} tokens/s, {found['tokens_per_cpu_second']:,.0f} a second of a core"
            print(f"  {engine}, {precision}: {said}", file=sys.stderr, flush=True)
        rate = max(rate, matrix_rate("cpu", precision))
    model = ModelConfig(
        layers=SHAPE.layers, hidden=SHAPE.hidden, heads=SHAPE.heads, ffn=SHAPE.ffn, vocab=SHAPE.vocab, context=SHAPE.context
    )
    measured = f"{parameters(model) / 1e6:.0f}M parameters, {precision}, {shape.tokens:,} tokens a step"
    for peer in ENGINES[1:]:
        yield {
            "name": f"train-speed-cpu: {measured}", "value": round(best["ours"], 1), "unit": "tokens/s",
            "reference": peer, "reference_value": round(best[peer], 1), "ratio": round(best["ours"] / best[peer], 3),
            "ratio_a_core": round(per_core["ours"] / per_core[peer], 3),
        }  # fmt: skip
    per_token = flops_per_token_with_attention(model)
    for engine in ENGINES:
        yield {
            "name": f"train-speed-cpu: {engine}", "value": round(best[engine] * per_token / 1e12, 4), "unit": "TFLOP/s",
            "reference": f"{precision} 2048^3 matrix products", "reference_value": round(rate / 1e12, 3),
            "ratio": round(best[engine] * per_token / rate, 3),
        }  # fmt: skip
