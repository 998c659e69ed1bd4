"""A checkpoint as a network in one process, masked as it was trained where it is in the midst of growing."""

from __future__ import annotations

import torch
from torch import nn

from trainer.checkpoint import Checkpoint
from trainer.growth.masks import mask_network
from trainer.growth.record import unfinished
from trainer.model.network import Network


def load_network(checkpoint: Checkpoint, device: torch.device | str = "cpu", dtype: torch.dtype = torch.float32) -> Network:
    """The network with a checkpoint's weights, ready to evaluate; tensors are read, converted and moved one by one."""
    with torch.device("meta"):
        network = Network(checkpoint.model)
    for name in checkpoint.names():
        owner, _, leaf = name.rpartition(".")
        weight = checkpoint.tensor(name).to(device=device, dtype=dtype)
        setattr(network.get_submodule(owner), leaf, nn.Parameter(weight, requires_grad=False))
    network.tie()
    if (midst := unfinished(checkpoint)) is not None:
        mask_network(network, midst[0], checkpoint.model, midst[1])
    return network.eval()
