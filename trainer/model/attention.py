"""Rotary positions and fused causal attention, with documents of a packed sequence kept apart where asked.

Queries, keys and values are [sequence, batch, heads, head size].
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from trainer.parallel.products import causal_attention


@lru_cache(maxsize=8)
def _angles(length: int, size: int, theta: float, device: torch.device, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """cos and sin [length, 1, 1, size] of position x frequency, computed in fp32 whatever the network's precision."""
    frequencies = 1.0 / (theta ** (torch.arange(0, size, 2, dtype=torch.float32, device=device) / size))
    angles = torch.outer(torch.arange(length, dtype=torch.float32, device=device), frequencies)
    angles = torch.cat((angles, angles), dim=-1)[:, None, None, :]
    return angles.cos().to(dtype), angles.sin().to(dtype)


class _Rotate(Function):
    """Turns back in the backward pass; nothing of x is kept, and no half of it is copied to be joined again."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        ctx.save_for_backward(cos, sin)
        return _turned(x, cos, sin, -1)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        cos, sin = ctx.saved_tensors
        return _turned(grad, cos, sin, 1), None, None


def _turned(x: Tensor, cos: Tensor, sin: Tensor, sign: int) -> Tensor:
    """x cos + (sign x second half, -sign x first half) sin."""
    half = x.shape[-1] // 2
    out, sin = x * cos, sin[..., :half]
    out[..., :half].add_(x[..., half:] * sin, alpha=sign)
    out[..., half:].sub_(x[..., :half] * sin, alpha=sign)
    return out


def rotate(x: Tensor, theta: float) -> Tensor:
    """Rotary position embedding (Su et al. 2021), in the half-split order that transformers' Llama uses.

    Component i turns with component i + size/2. The other order, neighbours in pairs, is the same network with permuted
    weights; this one exports without a permutation.
    """
    cos, sin = _angles(x.shape[0], x.shape[-1], theta, x.device, x.dtype)
    turned: Tensor = _Rotate.apply(x, cos, sin)
    return turned


def attend(q: Tensor, k: Tensor, v: Tensor, segments: Tensor | None = None) -> Tensor:
    """softmax(q k^T / sqrt(size)) v over the positions up to each query's own. Returns q's shape.

    `segments` [sequence, batch] (int, rising along the sequence) numbers the documents of a packed sequence; attention
    then stays within one. Documents are attended one after another: no mask of sequence x sequence exists.
    """
    if segments is None:
        return _causal(q, k, v)
    columns = []
    for row in range(q.shape[1]):
        ids = segments[:, row]
        ends = (torch.nonzero(ids[1:] != ids[:-1]).flatten() + 1).tolist() + [len(ids)]
        pieces, start = [], 0
        for end in ends:
            part = slice(start, end), slice(row, row + 1)
            pieces.append(_causal(q[part], k[part], v[part]))
            start = end
        columns.append(torch.cat(pieces))
    return torch.cat(columns, dim=1)


def _causal(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    q, k, v = (x.permute(1, 2, 0, 3) for x in (q, k, v))
    return causal_attention(q, k, v).permute(2, 0, 1, 3)
