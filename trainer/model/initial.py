"""Initial weights: every tensor drawn whole from (seed, name), then cut.

A rank that drew its own share would start every layout from other weights, and no two layouts could be compared.
"""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor, nn

from trainer.config import ModelConfig
from trainer.model.mup import init_std
from trainer.model.network import Network
from trainer.parallel.collectives import ALONE, TensorGroup
from trainer.parallel.layers import share_of


def drawn(name: str, shape: tuple[int, ...], model: ModelConfig, seed: int) -> Tensor:
    """The whole fp32 tensor of a parameter: truncated normal by kind (report, Table 4), gains at 1."""
    std = init_std(name, model)
    if std is None:
        return torch.ones(shape)
    seed = seed if model.init_seed is None else model.init_seed
    digest = hashlib.sha256(f"{seed} {name}".encode()).digest()
    generator = torch.Generator().manual_seed(int.from_bytes(digest[:7], "big"))
    bound = model.init_bound * std
    return nn.init.trunc_normal_(torch.empty(shape), 0.0, std, -bound, bound, generator=generator)


def initialise(
    module: nn.Module,
    prefix: str,
    model: ModelConfig,
    seed: int,
    group: TensorGroup = ALONE,
    device: torch.device | str = "cpu",
    draw: bool = True,
) -> None:
    """Gives every parameter below `module` (built on the meta device) its storage and this rank's share of its first values.

    `prefix` is the module's canonical name; marks that `cut` left on a parameter stay. Without `draw` the values are NaN, for
    a checkpoint to fill: to draw those of a large network takes minutes.
    """
    for path, parameter in list(module.named_parameters()):
        if draw:
            name = f"{prefix}.{path}" if prefix else path
            dim = getattr(parameter, "cut", None)
            shape = list(parameter.shape)
            if dim is not None:
                shape[dim] *= group.size
            share = share_of(drawn(name, tuple(shape), model, seed), dim, group).to(device=device, copy=True).contiguous()
        else:
            share = torch.full(parameter.shape, float("nan"), device=device)
        made = nn.Parameter(share)
        for mark in ("cut", "tensor_model_parallel"):
            if hasattr(parameter, mark):
                setattr(made, mark, getattr(parameter, mark))
        owner, _, leaf = path.rpartition(".")
        setattr(module.get_submodule(owner), leaf, made)


def build(model: ModelConfig, seed: int) -> Network:
    """The whole network on the CPU in fp32, with the first values that every layout starts from."""
    with torch.device("meta"):
        network = Network(model)
    initialise(network, "", model, seed)
    network.tie()
    return network
