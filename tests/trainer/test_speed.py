"""What utilisation is a share of."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from trainer.config import TrainConfig
from trainer.parallel import products
from trainer.parallel.products import linear
from trainer.speed import Peak, peak


class Multiplied(TorchDispatchMode):
    """The types of the matrix products that are computed within."""

    def __init__(self) -> None:
        super().__init__()
        self.types: set[torch.dtype] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.ops.aten.mm.default:
            self.types.add(args[0].dtype)
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("has_bf16", [True, False])
@pytest.mark.parametrize("precision", ["bf16", "fp32"])
def test_the_peak_of_a_cpu_is_that_of_the_products_it_trains_by(
    monkeypatch: pytest.MonkeyPatch, precision: Literal["fp32", "bf16"], has_bf16: bool
) -> None:
    """A CPU without bf16 arithmetic multiplies in fp32; of torch's own bf16 products training would use many times the peak."""
    monkeypatch.setattr(products, "_cpu_has_bf16", lambda: has_bf16)
    monkeypatch.setattr("trainer.speed._SECONDS", 0.0)
    monkeypatch.setattr("trainer.speed._SIDE", 64)
    config = TrainConfig(run="run")
    with Multiplied() as measured:
        found: Peak = peak(replace(config, pretrain=replace(config.pretrain, precision=precision)), torch.device("cpu"))
    x = torch.ones(4, 4, dtype=torch.bfloat16 if precision == "bf16" else torch.float32)
    with Multiplied() as trained:
        linear(x, x)
    assert measured.types == trained.types and found.tflops > 0
    assert ("computed in fp32" in found.source) == (precision == "bf16" and not has_bf16)
