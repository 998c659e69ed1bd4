"""Adam in two groups, vector-like and matrix-like, found by name.

Never more groups: DeepSpeed drops a group that is empty on a stage and reduces the gradient norm once for each that is
left, so a stage that lacks one would wait for ever. Every stage has a block, and every block has both kinds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
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


class Adam(torch.optim.Adam):
    """Adam or AdamW whose update can be held back: `permit` is asked before each, and a step that it refuses leaves weights,
    moments and their count as they are. A torch object: the one that DeepSpeed builds from its config compiles an
    operation first."""

    permit: Callable[[], bool] | None = None

    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        if self.permit is not None and not self.permit():
            return None
        made: float | None = super().step(closure)
        return made


def adam(named: Mapping[str, nn.Parameter], config: TrainConfig) -> Adam:
    """The optimizer over this rank's parameters."""
    optimizer = config.pretrain.optimizer
    return Adam(
        groups(named, config),
        betas=(optimizer.beta1, optimizer.beta2),
        eps=optimizer.eps,
        decoupled_weight_decay=optimizer.weight_decay_form != "coupled",
        fused=True,
    )


def group_named(name: Kind, param_groups: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """A group by its name, never by its place."""
    for group in param_groups:
        if group["name"] == name:
            return group
    raise KeyError(f"no parameter group is named {name}")
