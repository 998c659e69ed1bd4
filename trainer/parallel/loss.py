"""Head and cross-entropy in one: the logits of a few tokens at a time, their gradients at once, nothing kept.

Full logits in fp32 are the largest tensor of a training step (4096 tokens x 80,000 x 4 bytes = 1.3 GB a sequence) and the
pass over them costs as much as a good part of the network. Here a chunk's logits become probabilities, then gradients, in
place, while they are hot; tensor ranks exchange only a maximum, a sum and the target's logit for each token.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
import torch.distributed as dist
from torch import Tensor
from torch.autograd import Function

from trainer.config.parallel import CHUNK_ELEMENTS
from trainer.parallel.collectives import TensorGroup
from trainer.parallel.products import widened


class Scored(NamedTuple):
    """`total`: sum of weight x loss, which is differentiated; `losses`: nats of each token [sequence, batch], which is not."""

    total: Tensor
    losses: Tensor


class _HeadLoss(Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, targets: Tensor, weights: Tensor, scale: float, group: TensorGroup, train: bool
    ) -> tuple[Tensor, Tensor]:
        tokens, own = x.shape[0], widened(weight)
        chunk = max(1, min(tokens, CHUNK_ELEMENTS[x.device.type] // len(own)))
        losses = torch.empty(tokens, dtype=torch.float32, device=x.device)
        grad_x = torch.empty_like(x) if train else None
        grad_weight: Tensor | None = None
        for start in range(0, tokens, chunk):
            part = slice(start, min(tokens, start + chunk))
            states = widened(x[part])
            logits = (states @ own.t()).float()
            if scale != 1.0:
                logits *= scale
            losses[part], sums, local, mine = _exponentiate(logits, targets[part], group)
            if grad_x is None:
                continue
            # weight x scale x (probability - 1 at the target), the division by the sum folded into the factor
            factor = weights[part] * scale
            logits *= (factor / sums).unsqueeze(-1)
            logits.scatter_add_(1, local.unsqueeze(-1), (-factor * mine).unsqueeze(-1))
            grad_logits = logits.to(own.dtype)
            grad_x[part] = grad_logits @ own
            if grad_weight is None:
                grad_weight = grad_logits.t() @ states
                if chunk < tokens:
                    grad_weight = grad_weight.float()  # many small gradients added in bf16 would lose the later ones
            else:
                grad_weight += grad_logits.t() @ states
        if grad_x is not None and grad_weight is not None:
            ctx.save_for_backward(grad_x, grad_weight.to(weight.dtype))
        ctx.mark_non_differentiable(losses)
        return torch.dot(losses, weights), losses

    @staticmethod
    def backward(ctx: Any, grad: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:
        grad_x, grad_weight = ctx.saved_tensors
        return grad_x.mul_(grad), grad_weight.mul_(grad), None, None, None, None, None


def _exponentiate(logits: Tensor, targets: Tensor, group: TensorGroup) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Turns logits into exp(logit - largest) in place. Returns, for each token, its loss, the sum over the vocabulary, the
    target's column on this rank and whether it is this rank's."""
    rows = logits.shape[1]
    local = targets - group.rank * rows
    mine = (local >= 0) & (local < rows)
    local = local.clamp(0, rows - 1)
    top = logits.amax(dim=-1)
    if not group.alone:
        dist.all_reduce(top, op=dist.ReduceOp.MAX, group=group.group)
    logits -= top.unsqueeze(-1)
    at_target = logits.gather(1, local.unsqueeze(-1)).squeeze(-1) * mine
    logits.exp_()
    sums = logits.sum(dim=-1)
    if not group.alone:
        both = torch.stack((sums, at_target))
        dist.all_reduce(both, group=group.group)
        sums, at_target = both[0], both[1]
    return sums.log() - at_target, sums, local, mine


def score(x: Tensor, weight: Tensor, targets: Tensor, weights: Tensor, scale: float, group: TensorGroup) -> Scored:
    """Cross-entropy of `scale` x (x weight^T) against targets.

    x [sequence, batch, width] whole on every rank; weight [rows / ranks, width]; targets [sequence, batch] int64;
    weights [sequence, batch] fp32, what each token's loss counts.
    """
    shape = targets.shape
    train = torch.is_grad_enabled() and (x.requires_grad or weight.requires_grad)
    total, losses = _HeadLoss.apply(x.flatten(0, -2), weight, targets.flatten(), weights.flatten(), scale, group, train)
    return Scored(total, losses.view(shape))
