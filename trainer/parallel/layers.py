"""The layers that know how tensor ranks share them. Alone, each is the plain layer.

A layer is built whole and on no device; `cut` leaves each rank its share. Which dimension a parameter is cut along stands
in `cuts`, so that initialisation and checkpoints, which work on whole tensors, can cut and join without knowing the layer.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from trainer.parallel.collectives import ALONE, TensorGroup, column_linear, enter, leave, shared
from trainer.parallel.loss import Scored, score
from trainer.parallel.products import linear


def _parameter(*shape: int) -> nn.Parameter:
    return nn.Parameter(torch.empty(*shape))


class Layer(nn.Module):
    """A layer with parameters that may be cut: `cuts` maps a parameter's name to the dimension, None for all others."""

    cuts: ClassVar[dict[str, int]] = {}
    tensor: TensorGroup = ALONE

    def cut_of(self, name: str) -> int | None:
        return self.cuts.get(name)


class ColumnLinear(Layer):
    """Matrices that read the same input and are cut by output: `ColumnLinear(512, q=512, k=128, v=128)`.

    [sequence, batch, inputs] -> one [sequence, batch, outputs / ranks] for each name, in order. No bias.
    """

    def __init__(self, inputs: int, **outputs: int) -> None:
        super().__init__()
        for name, width in outputs.items():
            self.register_parameter(name, _parameter(width, inputs))
        self.names = tuple(outputs)

    def cut_of(self, name: str) -> int | None:
        return 0

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        return column_linear(x, tuple(getattr(self, name) for name in self.names), self.tensor)


class RowLinear(Layer):
    """A matrix that is cut by input, behind a ColumnLinear. [sequence, batch, inputs / ranks] -> [sequence, batch, outputs]."""

    cuts: ClassVar[dict[str, int]] = {"weight": 1}

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = _parameter(outputs, inputs)

    def forward(self, x: Tensor) -> Tensor:
        return leave(linear(x, self.weight), self.tensor)


class Norm(Layer):
    """RMSNorm (Zhang and Sennrich 2019): x / sqrt(mean(x^2) + eps) * gain, over the last dimension.

    While new dimensions grow in, `mask` [width] (fp32) weighs each one, in the statistics as well: with a mask of 0 the old
    ones see the norm that they had, mean and count over themselves alone.
    """

    mask: Tensor | None = None

    def __init__(self, width: int, eps: float) -> None:
        super().__init__()
        self.gain = _parameter(width)
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        gain = shared(self.gain, self.tensor)
        if self.mask is not None:
            return _masked_rms_norm(x, gain, self.mask, self.eps)
        return F.rms_norm(x, self.gain.shape, gain, self.eps)


def _masked_rms_norm(x: Tensor, gain: Tensor, mask: Tensor, eps: float) -> Tensor:
    """mask * gain * x / sqrt(sum(mask x^2) / sum(mask) + eps) (Yao et al. 2023, masked structural growth)."""
    wide = x.float() if x.dtype == torch.bfloat16 else x
    mask = mask.to(wide.dtype)
    mean = (mask * wide.square()).sum(-1, keepdim=True) / mask.sum()
    return (wide * torch.rsqrt(mean + eps) * mask).to(x.dtype) * gain


class Vocabulary(Layer):
    """A matrix with one row a token, cut by rows: an embedding, a head, or both where they are tied."""

    cuts: ClassVar[dict[str, int]] = {"weight": 0}

    def __init__(self, rows: int, width: int) -> None:
        super().__init__()
        self.weight = _parameter(rows, width)

    def look_up(self, tokens: Tensor) -> Tensor:
        """Token ids [sequence, batch] -> rows [sequence, batch, width]; ids of other ranks' rows come from them."""
        if self.tensor.alone:
            return F.embedding(tokens, self.weight)
        own = self.weight.shape[0]
        local = tokens - self.tensor.rank * own
        foreign = (local < 0) | (local >= own)
        found = F.embedding(local.masked_fill(foreign, 0), self.weight)
        return leave(found.masked_fill(foreign.unsqueeze(-1), 0.0), self.tensor)

    def logits(self, x: Tensor) -> Tensor:
        """[sequence, batch, width] -> this rank's columns [sequence, batch, rows / ranks]."""
        return linear(enter(x, self.tensor), self.weight)

    def score(self, x: Tensor, targets: Tensor, weights: Tensor, scale: float) -> Scored:
        """Cross-entropy of x against targets [sequence, batch], logits times `scale`; never holds all logits at once."""
        return score(enter(x, self.tensor), self.weight, targets, weights, scale, self.tensor)


def cut(module: nn.Module, group: TensorGroup) -> None:
    """Leaves each rank its share of every parameter below `module` (shapes only: on the meta device nothing is stored).

    `tensor_model_parallel` tells DeepSpeed that a parameter's squares belong to the gradient norm on every rank; without
    it those of all ranks but the first are left out, silently.
    """
    for layer in module.modules():
        if not isinstance(layer, Layer):
            continue
        layer.tensor = group
        for name, parameter in list(layer.named_parameters(recurse=False)):
            dim = layer.cut_of(name)
            if dim is None:
                continue
            shape = list(parameter.shape)
            shape[dim] //= group.size
            share = nn.Parameter(torch.empty(shape, dtype=parameter.dtype, device=parameter.device))
            share.tensor_model_parallel = True  # type: ignore[attr-defined]
            share.cut = dim  # type: ignore[attr-defined]
            setattr(layer, name, share)


def share_of(whole: Tensor, dim: int | None, group: TensorGroup) -> Tensor:
    """The part of a whole tensor that this rank holds."""
    return whole if dim is None else whole.chunk(group.size, dim)[group.rank]
