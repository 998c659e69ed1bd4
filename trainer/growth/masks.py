"""Masks on what is new: in the statistics of every norm, on the outputs of heads and feed-forward units, on whole blocks.

A mask is 1 for what the small network had and c for the rest. With c = 0 the grown network computes the small one's function,
whatever the new weights are: new dimensions of the residual stream are filled but never read. With c = 1 it is the plain
network, and the masks are taken away. Nothing here is stored: a mask follows from the growth, c and where a rank stands.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from trainer.config import ModelConfig
from trainer.growth.record import Growth
from trainer.model.network import Block, FinalNorm, Network
from trainer.parallel.collectives import ALONE, TensorGroup
from trainer.parallel.layers import share_of


def vector(size: int, old: int, share: float, like: Tensor) -> Tensor:
    """[size]: 1 in the first `old` places, `share` in the others; on the device of `like`, in fp32 or wider."""
    dtype = torch.float64 if like.dtype == torch.float64 else torch.float32
    mask = torch.full((size,), share, dtype=dtype, device=like.device)
    mask[:old] = 1.0
    return mask


def set_masks(
    parts: Mapping[str, nn.Module], growth: Growth, model: ModelConfig, share: float | None, group: TensorGroup = ALONE
) -> None:
    """Lays the masks of one moment on the parts of the network that this rank holds; a share of None takes them away.

    `parts` by canonical name (layers.0 ..., norm); heads and units are cut among the ranks of `group`, as their weights are.
    """
    for name, part in parts.items():
        if isinstance(part, Block):
            number = int(name.removeprefix("layers."))
            gain = part.attention_norm.gain
            hidden, heads, units = (
                _mask(now, before, share, gain, to)
                for now, before, to in (
                    (model.hidden, growth.hidden, ALONE),
                    (model.heads, growth.heads, group),
                    (model.ffn, growth.ffn, group),
                )
            )
            part.attention_norm.mask = part.feed_forward_norm.mask = hidden
            part.attention.mask = heads.to(gain.dtype).unsqueeze(-1) if heads is not None else None
            part.feed_forward.mask = units.to(gain.dtype) if units is not None else None
            part.share = share if share is not None and number in growth.new_layers else 1.0
        elif isinstance(part, FinalNorm):
            part.mask = _mask(model.hidden, growth.hidden, share, part.gain, ALONE)


def _mask(now: int, before: int, share: float | None, like: Tensor, group: TensorGroup) -> Tensor | None:
    """A rank's part of the mask of one dimension; None where nothing is new."""
    return None if share is None or now == before else share_of(vector(now, before, share, like), 0, group)


def mask_network(network: Network, growth: Growth, model: ModelConfig, share: float | None) -> None:
    """The same on a whole network in one process."""
    parts: dict[str, nn.Module] = {f"layers.{number}": block for number, block in enumerate(network.layers)}
    set_masks({**parts, "norm": network.norm}, growth, model, share)
