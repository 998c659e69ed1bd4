"""AdamW in two groups, vector-like and matrix-like, found by name.

Never more groups: DeepSpeed drops a group that is empty on a stage and reduces the gradient norm once for each that is
left, so a stage that lacks one would wait for ever. Every stage has a block, and every block has both kinds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import nn

from trainer.config import TrainConfig
from trainer.model.mup import KINDS, Kind, kind, peak_lr, weight_decay


def groups(named: Mapping[str, nn.Parameter], config: TrainConfig) -> list[dict[str, Any]]:
    """The parameter groups: `name`, `params`, `peak_lr` (kept for the schedule), `lr`, `weight_decay`."""
    optimizer = config.pretrain.optimizer
    made = []
    for of in KINDS:
        members = [parameter for name, parameter in named.items() if kind(name) == of]
        if not members:
            raise RuntimeError(f"this stage has no {of} parameters ({', '.join(named)}); every stage needs at least one block.")
        lr = peak_lr(of, config.model, optimizer)
        decay = weight_decay(of, config.model, optimizer)
        made.append({"name": of, "params": members, "lr": lr, "peak_lr": lr, "weight_decay": decay})
    return made


def adamw(named: Mapping[str, nn.Parameter], config: TrainConfig) -> torch.optim.AdamW:
    """A torch optimizer object: the one that DeepSpeed builds from its config compiles an operation first."""
    optimizer = config.pretrain.optimizer
    return torch.optim.AdamW(groups(named, config), betas=(optimizer.beta1, optimizer.beta2), eps=optimizer.eps, fused=True)


def group_named(name: Kind, param_groups: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """A group by its name, never by its place."""
    for group in param_groups:
        if group["name"] == name:
            return group
    raise KeyError(f"no parameter group is named {name}")
