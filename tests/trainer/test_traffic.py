"""The bytes that the plan says ranks send each other, against what goes through torch.distributed in a step."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from tests.trainer import worlds
from trainer import plan
from trainer.config import ParallelConfig, TrainConfig


def layout(**given: Any) -> TrainConfig:
    precision = given.pop("precision", "fp32")
    parallel = ParallelConfig(**{"micro_batch": 2, "device": "cpu", "threads": 1, **given})
    shape = dict(layers=4, hidden=64, heads=4, ffn=64, vocab=64, vocab_multiple=16, context=32)
    return worlds.tiny(parallel, precision=precision, **shape)


LAYOUTS = {
    "TP2": layout(tensor=2),
    "TP2, all made anew": layout(tensor=2, recompute="full"),
    "TP2, some made anew": layout(tensor=2, recompute="selective"),
    "TP2 sequence": layout(tensor=2, sequence=True),
    "TP2 sequence, some made anew": layout(tensor=2, sequence=True, recompute="selective"),
    "TP2 sequence, all made anew": layout(tensor=2, sequence=True, recompute="full"),
    "PP2": layout(pipeline=2),
    "DP2": layout(data=2),
    "DP2, bf16": layout(data=2, precision="bf16"),
}


def sent(configs: dict[str, TrainConfig]) -> dict[str, float]:
    """Runs on two ranks: bytes that rank 0 sends in a step by rings, of tensors that hold more than a few numbers."""
    import torch.distributed as dist
    from deepspeed.comm import comm

    from trainer.parallel.engine import Batch, Engine
    from trainer.parallel.ranks import place
    from trainer.parallel.start import start

    count = [0.0]

    def counted(function: Any, share: Any, which: int) -> Any:
        def call(*given: Any, **named: Any) -> Any:
            tensor = [*given, *named.values()][which]
            ranks = dist.get_world_size(named.get("group"))
            if ranks > 1 and tensor.numel() > 8 * 64:  # not losses, norms and tallies
                count[0] += share(ranks) * tensor.numel() * tensor.element_size()
            return function(*given, **named)

        return call

    found = {}
    for name, config in configs.items():
        engine = Engine(config, place(config.parallel, start(config.parallel)))
        tokens = worlds.batches(config, 1)[0]
        batch = Batch(tokens[engine.rows(len(tokens))], torch.zeros(len(tokens) // config.parallel.data, dtype=torch.int64))
        engine.step(batch)
        count[0] = 0.0
        gathered: Any = (lambda n: (n - 1) / n, 0)
        patches: list[tuple[Any, str, Any]] = [
            (dist, "all_reduce", (lambda n: 2 * (n - 1) / n, 0)),
            (dist, "all_gather_into_tensor", gathered),
            (comm.cdb, "all_gather_function", gathered),  # DeepSpeed keeps torch's own
            (dist, "reduce_scatter_tensor", (lambda n: (n - 1) / n, 1)),
            (dist, "send", (lambda n: 1.0, 0)),
        ]
        own = [getattr(owner, key) for owner, key, _ in patches]
        for (owner, key, (share, which)), function in zip(patches, own, strict=True):
            setattr(owner, key, counted(function, share, which))
        try:
            engine.step(batch)
        finally:
            for (owner, key, _), function in zip(patches, own, strict=True):
                setattr(owner, key, function)
        found[name] = count[0]
        engine.deepspeed.destroy()
    return found


@pytest.mark.slow
def test_a_step_sends_what_the_plan_says() -> None:
    planned = {name: sum(vars(plan.traffic(config)).values()) for name, config in LAYOUTS.items()}
    assert worlds.run(2, sent, LAYOUTS) == {name: pytest.approx(value, rel=0.03) for name, value in planned.items()}
