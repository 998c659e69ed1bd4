"""Tokens a second of one training engine, measured in a process of its own: ours, a plain eager loop, transformers' Llama.

All three train the same shape on the same random tokens with clipping and AdamW, in bf16 with fp32 masters and moments or,
where a processor has no bf16 arithmetic and is faster without, in fp32.
Run as `python -m benchmarks._train_speed ENGINE JSON`; prints one JSON object.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

ROOT = Path(__file__).resolve().parents[1]
ENGINES = ("ours", "eager", "transformers")


@dataclass(frozen=True)
class Shape:
    """A network and a step: batch and micro_batch in sequences of `context` tokens."""

    layers: int
    hidden: int
    heads: int
    ffn: int
    vocab: int
    context: int
    batch: int
    micro_batch: int
    device: str = "cpu"
    recompute: str = "none"
    precision: str = "bf16"

    @property
    def tokens(self) -> int:
        return self.batch * self.context


def measure(engine: str, shape: Shape, steps: int, warm: int = 1) -> dict[str, float]:
    """{tokens_per_second, tokens_per_cpu_second, memory_gb} of an engine in a new process: the median of its steps after `warm`
    micro-batches."""
    asked = json.dumps({"shape": asdict(shape), "steps": steps, "warm": warm})
    command = [sys.executable, "-m", "benchmarks._train_speed", engine, asked]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{engine} ended with status {done.returncode}:\n{done.stderr[-3000:]}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def matrix_rate(device: str, precision: str = "bf16", size: int = 2048, seconds: float = 2.0) -> float:
    """FLOP/s of square matrix products: the best of many, what the machine gives when nothing else runs."""
    kind = torch.bfloat16 if precision == "bf16" else torch.float32
    a, b = (torch.randn(size, size, device=device).to(kind) for _ in range(2))
    best, until = 0.0, time.monotonic() + seconds
    while not best or time.monotonic() < until:
        best = max(best, 2 * size**3 / _timed(lambda: a @ b, device))
    return best


def _timed(work: Callable[[], Any], device: str) -> float:
    if device == "cuda":
        torch.cuda.synchronize()
    began = time.perf_counter()
    work()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - began


def _batches(shape: Shape, count: int) -> Iterable[Tensor]:
    generator = torch.Generator().manual_seed(1)
    for _ in range(count):
        yield torch.randint(0, shape.vocab, (shape.batch, shape.context + 1), generator=generator)


class _Block(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        hidden, ffn = shape.hidden, shape.ffn
        self.heads = shape.heads
        self.first, self.second = nn.RMSNorm(hidden, 1e-5), nn.RMSNorm(hidden, 1e-5)
        self.q, self.k, self.v, self.out = (nn.Linear(hidden, hidden, bias=False) for _ in range(4))
        self.gate, self.up = (nn.Linear(hidden, ffn, bias=False) for _ in range(2))
        self.down = nn.Linear(ffn, hidden, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        y: Tensor = self.first(x)
        q, k, v = (part(y).unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in (self.q, self.k, self.v))
        q, k = (t * cos + torch.cat((-t.chunk(2, -1)[1], t.chunk(2, -1)[0]), -1) * sin for t in (q, k))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).flatten(-2)
        x = x + self.out(y)
        y = self.second(x)
        x = x + self.down(F.silu(self.gate(y)) * self.up(y))
        return x


class _Plain(nn.Module):
    """The network as anybody would write it: [batch, sequence] token ids -> mean loss, through full fp32 logits."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.embedding = nn.Embedding(shape.vocab, shape.hidden)
        self.blocks = nn.ModuleList(_Block(shape) for _ in range(shape.layers))
        self.norm = nn.RMSNorm(shape.hidden, 1e-5)
        self.head = nn.Linear(shape.hidden, shape.vocab, bias=False)
        size = shape.hidden // shape.heads
        angles = torch.outer(torch.arange(shape.context).float(), 10000.0 ** (-torch.arange(0, size, 2) / size))
        self.register_buffer("angles", torch.cat((angles, angles), -1))

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.embedding(tokens[:, :-1])
        cos, sin = self.angles.cos().to(x.dtype), self.angles.sin().to(x.dtype)  # type: ignore[operator]
        for block in self.blocks:
            x = block(x, cos, sin)
        logits = self.head(self.norm(x)).float()
        return F.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten())


def _loop(model: nn.Module, loss: Callable[[Tensor], Tensor], shape: Shape) -> Callable[[Tensor], None]:
    """The usual loop; fp32 masters beside a bf16 model."""
    low = shape.precision == "bf16"
    model = model.to(shape.device, torch.bfloat16 if low else torch.float32)
    parameters = list(model.parameters())
    masters = [parameter.detach().float().clone().requires_grad_() for parameter in parameters] if low else parameters
    optimizer = torch.optim.AdamW(masters, lr=1e-4, betas=(0.9, 0.95), fused=True)
    count = shape.batch // shape.micro_batch

    def step(tokens: Tensor) -> None:
        for part in tokens.to(shape.device).split(shape.micro_batch):
            (loss(part) / count).backward()
        if low:
            for master, parameter in zip(masters, parameters, strict=True):
                assert parameter.grad is not None
                master.grad, parameter.grad = parameter.grad.float(), None
        torch.nn.utils.clip_grad_norm_(masters, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        if low:
            with torch.no_grad():
                for master, parameter in zip(masters, parameters, strict=True):
                    parameter.copy_(master)

    return step


def _eager(shape: Shape) -> Callable[[Tensor], None]:
    model = _Plain(shape)
    return _loop(model, model, shape)


def _transformers(shape: Shape) -> Callable[[Tensor], None]:
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(  # type: ignore[call-arg]
        vocab_size=shape.vocab, hidden_size=shape.hidden, intermediate_size=shape.ffn, num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads, max_position_embeddings=shape.context, attn_implementation="sdpa", use_cache=False,
    )  # fmt: skip
    model = LlamaForCausalLM(config)
    return _loop(model, lambda tokens: model(input_ids=tokens[:, :-1], labels=tokens[:, :-1]).loss, shape)


def _ours(shape: Shape) -> Callable[[Tensor], None]:
    from trainer.config import ModelConfig, ParallelConfig, PretrainConfig, TrainConfig
    from trainer.parallel.engine import Batch, Engine
    from trainer.parallel.ranks import place
    from trainer.parallel.start import start

    model = ModelConfig(
        layers=shape.layers, hidden=shape.hidden, heads=shape.heads, ffn=shape.ffn, vocab=shape.vocab, context=shape.context,
        vocab_multiple=1,
    )  # fmt: skip
    recompute: Any = shape.recompute
    parallel = ParallelConfig(micro_batch=shape.micro_batch, recompute=recompute, device=shape.device)  # type: ignore[arg-type]
    precision: Any = shape.precision
    config = TrainConfig(model=model, parallel=parallel, pretrain=PretrainConfig(batch=shape.batch, precision=precision))
    engine = Engine(config, place(parallel, start(parallel)))

    def step(tokens: Tensor) -> None:
        engine.step(Batch(tokens, torch.zeros(len(tokens), dtype=torch.int64)))

    return step


def main(engine: str, asked: str) -> None:
    given = json.loads(asked)
    shape = Shape(**given["shape"])
    step = {"ours": _ours, "eager": _eager, "transformers": _transformers}[engine](shape)
    seconds, busy = [], []
    for number, tokens in enumerate(_batches(shape, given["warm"] + given["steps"])):
        part = tokens[: shape.micro_batch] if number < given["warm"] else tokens
        began = time.process_time()
        seconds.append(_timed(lambda part=part: step(part), shape.device))  # type: ignore[misc]
        busy.append(time.process_time() - began)
    found = {
        name: shape.tokens / statistics.median(taken[given["warm"] :])
        for name, taken in (("tokens_per_second", seconds), ("tokens_per_cpu_second", busy))
    }
    if shape.device == "cuda":
        found["memory_gb"] = torch.cuda.max_memory_allocated() / 1e9
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
