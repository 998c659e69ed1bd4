"""The learning rate over the run: one factor, laid on each group's own peak.

A scheduler that writes one rate into every group erases muP without a trace in the config; this one multiplies.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from trainer.config import ScheduleConfig


def factor(schedule: ScheduleConfig, position: float, end: float) -> float:
    """The share of the peak for the step that ends at `position` (steps or tokens); `end` is where the run stops.

    Warm-up rises linearly and is over at `warmup`. The schedule's length may lie beyond the end: the report's cosine
    spans 2.5T tokens of which 2.0T were run.
    """
    length = float(schedule.length if schedule.length is not None else end)
    if position < schedule.warmup:
        return position / schedule.warmup
    low = schedule.minimum
    if schedule.kind == "constant":
        return 1.0
    if schedule.kind == "wsd":
        fall = length - schedule.decay
        return 1.0 if position < fall else 1.0 - (1.0 - low) * min(1.0, (position - fall) / schedule.decay)
    done = min(1.0, (position - schedule.warmup) / max(1.0, length - schedule.warmup))
    if schedule.kind == "linear":
        return 1.0 - (1.0 - low) * done
    return low + (1.0 - low) * 0.5 * (1.0 + math.cos(math.pi * done))


def apply(param_groups: Iterable[dict[str, Any]], share: float) -> dict[str, float]:
    """Sets every group to `share` of its own peak; returns the rates by group name."""
    rates = {}
    for group in param_groups:
        group["lr"] = rates[group["name"]] = group["peak_lr"] * share
    return rates
