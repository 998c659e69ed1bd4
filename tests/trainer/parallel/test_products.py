"""Products of bf16 tensors: the same values, forward and backward, whether or not the processor has units for bf16."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from trainer.parallel import products
from trainer.parallel.collectives import ALONE
from trainer.parallel.loss import score

EPS = 2.0**-8  # bf16 keeps eight bits: rounding once errs by at most this share of a value


@pytest.fixture(params=[True, False], ids=["bf16 units", "none"])
def processor(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(products, "_cpu_has_bf16", lambda: request.param)


def drawn(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)), dtype=torch.float64).to(torch.bfloat16)


def both(work: Callable[..., Tensor], *inputs: Tensor) -> tuple[list[Tensor], list[Tensor]]:
    """Result and gradients in bf16, and of the same values in fp64."""
    found = []
    for kind in (torch.bfloat16, torch.float64):
        given = [x.to(kind).requires_grad_() for x in inputs]
        out = work(*given)
        assert out.dtype == kind
        found.append([out, *torch.autograd.grad((out * drawn(*out.shape).to(kind)).sum(), given)])
    return found[0], found[1]


def close(found: Tensor, exact: Tensor, share: float) -> None:
    assert torch.isfinite(found).all()
    assert (found.double() - exact).abs().max() <= share * exact.abs().max()


@pytest.mark.usefixtures("processor")
def test_a_product_is_rounded_once() -> None:
    for found, exact in zip(*both(products.linear, drawn(5, 3, 64), drawn(24, 64)), strict=True):
        close(found, exact, EPS)


@pytest.mark.usefixtures("processor")
@pytest.mark.parametrize("keys", [4, 2])
def test_attention_is_that_of_fp64_to_bf16s_precision(keys: int) -> None:
    q, k, v = drawn(2, 4, 33, 16), drawn(2, keys, 33, 16), drawn(2, keys, 33, 16) + 1
    for found, exact in zip(*both(products.causal_attention, q, k, v), strict=True):
        close(found, exact, 6 * EPS)


@pytest.mark.usefixtures("processor")
def test_the_loss_and_its_gradients_are_those_of_full_logits() -> None:
    x, weight = drawn(6, 2, 32), drawn(40, 32)
    targets = torch.arange(12).view(6, 2) * 3
    weights = torch.full((6, 2), 1 / 12)
    low = [x.clone().requires_grad_(), weight.clone().requires_grad_()]
    total = score(low[0], low[1], targets, weights, 0.5, ALONE).total
    exact = [x.double().requires_grad_(), weight.double().requires_grad_()]
    wanted = F.cross_entropy(0.5 * (exact[0] @ exact[1].t()).flatten(0, 1), targets.flatten())
    close(total, wanted, 2 * EPS)
    for found, right in zip(torch.autograd.grad(total, low), torch.autograd.grad(wanted, exact), strict=True):
        close(found, right, 4 * EPS)


def test_only_bf16_on_a_cpu_without_units_is_widened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(products, "_cpu_has_bf16", lambda: False)
    assert products.widens(drawn(2))
    assert not products.widens(drawn(2).float())
    assert not products.widens(torch.empty(2, dtype=torch.bfloat16, device="meta"))
    kept: list[Tensor] = []
    with torch.autograd.graph.saved_tensors_hooks(lambda x: kept.append(x) or x, lambda x: x):  # type: ignore[func-returns-value]
        products.linear(drawn(4, 8).requires_grad_(), drawn(8, 8).requires_grad_())
    assert {x.dtype for x in kept} == {torch.bfloat16}
