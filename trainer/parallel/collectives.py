"""What the ranks of a tensor group say to each other, as differentiable functions.

A hidden state is [sequence, batch, hidden]. Between two matrices it is whole on every rank or, under sequence parallelism,
shared along its first dimension (Korthikanti et al. 2022). `enter` brings it in front of a column-cut matrix, `leave` takes
partial sums out of a row-cut one; each is the other's backward pass. With one rank all of them are the identity.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch.distributed as dist
from torch import Tensor
from torch.autograd import Function

from trainer.parallel.products import linear, multiply


@dataclass(frozen=True)
class TensorGroup:
    """The ranks that share each matrix, and whether they also share the sequence between matrices."""

    rank: int = 0
    size: int = 1
    sequence: bool = False
    group: Any = None

    @property
    def alone(self) -> bool:
        return self.size == 1

    @property
    def shares_sequence(self) -> bool:
        return self.sequence and self.size > 1


ALONE = TensorGroup()


def gather_first(x: Tensor, group: TensorGroup) -> Tensor:
    """[n/size, ...] on each rank to [n, ...] on all."""
    whole = x.new_empty((x.shape[0] * group.size, *x.shape[1:]))
    dist.all_gather_into_tensor(whole, x.contiguous(), group=group.group)
    return whole


def scatter_sum_first(x: Tensor, group: TensorGroup) -> Tensor:
    """Partial sums [n, ...] on each rank to the rank's own [n/size, ...] of the total."""
    part = x.new_empty((x.shape[0] // group.size, *x.shape[1:]))
    dist.reduce_scatter_tensor(part, x.contiguous(), group=group.group)
    return part


def total(x: Tensor, group: TensorGroup) -> Tensor:
    """Partial sums to the total, on every rank; works in place where it can."""
    x = x.contiguous()
    dist.all_reduce(x, group=group.group)
    return x


class _Enter(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, group: TensorGroup) -> Tensor:
        ctx.group = group
        return gather_first(x, group) if group.sequence else x.view_as(x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        group: TensorGroup = ctx.group
        return (scatter_sum_first(grad, group) if group.sequence else total(grad.clone(), group)), None


class _Leave(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, group: TensorGroup) -> Tensor:
        ctx.group = group
        return scatter_sum_first(x, group) if group.sequence else total(x.clone(), group)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        group: TensorGroup = ctx.group
        return (gather_first(grad, group) if group.sequence else grad), None


class _Shared(Function):
    @staticmethod
    def forward(ctx: Any, parameter: Tensor, group: TensorGroup) -> Tensor:
        ctx.group = group
        return parameter.view_as(parameter)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        return total(grad.clone(), ctx.group), None


def enter(x: Tensor, group: TensorGroup) -> Tensor:
    """A hidden state in front of column-cut matrices: whole on every rank; gradients of all ranks are summed."""
    return x if group.alone else _Enter.apply(x, group)


def leave(x: Tensor, group: TensorGroup) -> Tensor:
    """Partial sums behind a row-cut matrix: the total, whole or each rank's share of the sequence."""
    return x if group.alone else _Leave.apply(x, group)


def shared(parameter: Tensor, group: TensorGroup) -> Tensor:
    """A parameter that each rank holds whole but uses on its own share of the sequence: its gradients are summed.

    Part of the graph and not a hook on the parameter, because hooks registered before DeepSpeed wraps a model do not fire.
    """
    return _Shared.apply(parameter, group) if group.shares_sequence else parameter


class _ColumnLinear(Function):
    """x W^T for several W that share x: one gather forward; backward gathers x again rather than keep it whole, and sums the
    gradient of x over the ranks while the gradients of the weights are computed."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, group: TensorGroup, *weights: Tensor) -> tuple[Tensor, ...]:
        ctx.group = group
        ctx.save_for_backward(x, *weights)
        whole = gather_first(x, group) if group.sequence else x
        return tuple(multiply(whole, weight.t()) for weight in weights)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        group: TensorGroup = ctx.group
        x, *weights = ctx.saved_tensors
        whole = gather_first(x, group) if group.sequence else x
        grad_x = multiply(grads[0], weights[0])
        for grad, weight in zip(grads[1:], weights[1:], strict=True):
            grad_x += multiply(grad, weight)
        if group.sequence:
            part = x.new_empty(x.shape)
            work = dist.reduce_scatter_tensor(part, grad_x, group=group.group, async_op=True)
        else:
            part = grad_x
            work = dist.all_reduce(grad_x, group=group.group, async_op=True)
        rows = whole.flatten(0, -2)
        grad_weights = [multiply(grad.flatten(0, -2).t(), rows) for grad in grads]
        if work is not None:
            work.wait()
        return part, None, *grad_weights


def column_linear(x: Tensor, weights: tuple[Tensor, ...], group: TensorGroup) -> tuple[Tensor, ...]:
    """x [sequence, batch, in] through each weight [out / size, in]."""
    if group.alone:
        return tuple(linear(x, weight) for weight in weights)
    return _ColumnLinear.apply(x, group, *weights)  # type: ignore[no-any-return]
