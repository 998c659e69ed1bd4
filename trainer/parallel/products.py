"""Matrix products and attention of bf16 tensors, on processors that have no arithmetic for bf16 as well.

A bf16 product multiplies exactly, adds in fp32 and rounds the sum. A CPU without such units gives the same from its operands in
fp32, while a library's own bf16 product on it is 6 to 90 times slower (AVX2, torch 2.13: 0.8 to 19 GFLOP/s for 60 to 76). Only
the operands of the product at hand are ever held in fp32; what waits for the backward pass stays in bf16.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.nn import functional as F


@cache
def _cpu_has_bf16() -> bool:
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def widens(x: Tensor) -> bool:
    """Whether products of x are computed in fp32 and rounded to x's own type."""
    return x.dtype == torch.bfloat16 and x.device.type == "cpu" and not _cpu_has_bf16()


def widened(x: Tensor) -> Tensor:
    """x in the type that its products are computed in."""
    return x.float() if widens(x) else x


def multiply(a: Tensor, b: Tensor) -> Tensor:
    """a [..., k] times b [k, m], not differentiated."""
    if not widens(a):
        return a @ b
    rows = a.reshape(-1, a.shape[-1])  # of a tensor that is not contiguous, `@` would make a product a row
    return (rows.float() @ b.float()).to(a.dtype).view(*a.shape[:-1], b.shape[-1])


def linear(x: Tensor, weight: Tensor) -> Tensor:
    """x [..., inputs] times weight [outputs, inputs] transposed -> [..., outputs]."""
    if not widens(x):
        return F.linear(x, weight)
    made: Tensor = _Linear.apply(x, weight)
    return made


def causal_attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Fused softmax(q k^T / sqrt(size)) v, each query over the positions up to its own.

    q [batch, heads, sequence, size]; k and v may have fewer heads, each for a group of q's.
    """
    if not widens(q):
        return _fused(q, k, v)
    made: Tensor = _Attention.apply(q, k, v)
    return made


def _fused(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    return F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=q.shape[1] != k.shape[1])


class _Linear(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return multiply(x, weight.t())

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor]:
        x, weight = ctx.saved_tensors
        return multiply(grad, weight), multiply(grad.flatten(0, -2).t(), x.flatten(0, -2))


class _Attention(Function):
    """In fp32; computed once more in the backward pass, which costs less than bf16 there does."""

    @staticmethod
    def forward(ctx: Any, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        ctx.save_for_backward(q, k, v)
        return _fused(q.float(), k.float(), v.float()).to(q.dtype)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, ...]:
        wide = [x.float().requires_grad_() for x in ctx.saved_tensors]
        with torch.enable_grad():
            out = _fused(*wide)
        return tuple(found.to(grad.dtype) for found in torch.autograd.grad(out, wide, grad.float()))
