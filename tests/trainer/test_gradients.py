"""Gradients under bf16: summed over micro-batches and data ranks in fp32, reduced where they lie, their norm taken in fp32."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
import torch

from tests.trainer import worlds
from tests.trainer.sprung import settings
from trainer.config import ParallelConfig, TrainConfig


@contextlib.contextmanager
def bf16_sums() -> Iterator[None]:
    """Trap 8: gradients are summed, and their norm taken, in bf16."""
    with settings(lambda made: made.update(data_types={"grad_accum_dtype": "bf16"}, bf16={"enabled": True})):
        yield


def gradient_norms(config: TrainConfig) -> dict[str, tuple[str, float, float]]:
    """Runs on every rank: the type of the sums that the norm is taken of, the norm, and the same in fp64 from those sums."""
    from trainer.parallel.engine import Batch, Engine
    from trainer.parallel.ranks import place
    from trainer.parallel.start import start

    found = {}
    for name, sprung in (("right", contextlib.nullcontext), ("sprung", bf16_sums)):
        with sprung():
            engine = Engine(config, place(config.parallel, start(config.parallel)))
            seen: list[Any] = []

            def look(_: float, norm: float, engine: Any = engine, seen: list[Any] = seen) -> bool:
                optimizer = engine.optimizer
                if hasattr(optimizer, "averaged_gradients"):
                    sums = [grad for group in optimizer.averaged_gradients.values() for grad in group or []]
                else:
                    sums = optimizer.fp32_groups_actual_gradients_flat
                square = float(torch.stack([grad.double().square().sum() for grad in sums]).sum())
                seen.append((str(sums[-1].dtype), norm, square))
                return False

            tokens = worlds.batches(config, 1)[0]
            engine.step(Batch(tokens, torch.zeros(len(tokens), dtype=torch.int64)), look)
            kind, norm, square = seen[0]
            whole: list[Any] = [None] * torch.distributed.get_world_size()
            torch.distributed.all_gather_object(whole, square)
            found[name] = kind, norm, sum(whole) ** 0.5
            engine.deepspeed.destroy()
    return found


@pytest.mark.slow
def test_the_gradient_norm_in_bf16_is_of_fp32_sums() -> None:
    config = worlds.tiny(ParallelConfig(pipeline=2, micro_batch=2, device="cpu", threads=1), precision="bf16", clip=0.0)
    found = worlds.run(2, gradient_norms, config)
    kind, norm, whole = found["right"]
    assert kind == "torch.float32" and norm == pytest.approx(whole, rel=1e-6)
    assert found["sprung"][0] == "torch.bfloat16" and abs(found["sprung"][1] / norm - 1) > 3e-6


@contextlib.contextmanager
def bf16_on_the_way() -> Iterator[None]:
    """DeepSpeed's own choice under bf16: fp32 sums are rounded when data ranks add them."""
    with settings(lambda made: made.pop("communication_data_type")):
        yield


def reductions(config: TrainConfig) -> dict[str, tuple[bool, bool]]:
    """Runs on every rank: whether all reduced sums were rounded to bf16, and whether each buffer was reduced where it lies."""
    from trainer.parallel.engine import Batch, Engine
    from trainer.parallel.ranks import place
    from trainer.parallel.start import start

    found = {}
    for name, sprung in (("right", contextlib.nullcontext), ("sprung", bf16_on_the_way)):
        with sprung():
            engine = Engine(config, place(config.parallel, start(config.parallel)))
            reduce = engine.deepspeed.allreduce_bucket
            seen: list[tuple[bool, bool]] = []

            def look(bucket: Any, *more: Any, reduce: Any = reduce, seen: list[Any] = seen, **named: Any) -> torch.Tensor:
                made: torch.Tensor = reduce(bucket, *more, **named)
                rounded = bool((made == made.to(torch.bfloat16).float()).all())
                seen.append((rounded, len(bucket) == 1 and made.data_ptr() == bucket[0].data_ptr()))
                return made

            engine.deepspeed.allreduce_bucket = look
            tokens = worlds.batches(config, 1)[0]
            rows = engine.rows(len(tokens))
            engine.step(Batch(tokens[rows], torch.zeros(len(tokens[rows]), dtype=torch.int64)))
            found[name] = any(rounded for rounded, _ in seen), len(seen) > 1 and all(in_place for _, in_place in seen)
            engine.deepspeed.destroy()
    return found


@pytest.mark.slow
def test_data_ranks_add_fp32_sums_as_they_are_and_where_they_lie() -> None:
    config = worlds.tiny(ParallelConfig(data=2, micro_batch=2, device="cpu", threads=1), precision="bf16")
    found = worlds.run(2, reductions, config)
    assert found["right"] == (False, True)
    assert found["sprung"][0]
