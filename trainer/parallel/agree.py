"""What all ranks must know alike before they go on: small Python values, over the whole world."""

from __future__ import annotations

from typing import Any, TypeVar

import torch.distributed as dist

T = TypeVar("T")


def first_finding(found: str | None) -> str | None:
    """What the first rank that has found something has found, on every rank."""
    findings: list[Any] = [None] * dist.get_world_size()
    dist.all_gather_object(findings, found)
    return next((finding for finding in findings if finding), None)


def from_rank_0(value: T) -> T:
    """The first rank's value, on every rank."""
    held = [value]
    dist.broadcast_object_list(held)
    return held[0]
