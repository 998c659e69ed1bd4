"""What a grown checkpoint remembers of its growth: enough to know every mask at every step, on every rank."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trainer.checkpoint import Checkpoint

KEY = "growth"


@dataclass(frozen=True)
class Growth:
    """begun: the step of the checkpoint that was grown; hidden, heads, ffn: what was there before, the leading part of what
    there is now; new_layers: numbers of the new blocks; mask_steps, warmup: as set; origin: names the checkpoint and the
    settings it was grown by."""

    begun: int
    mask_steps: int
    warmup: int
    hidden: int
    heads: int
    ffn: int
    new_layers: tuple[int, ...]
    origin: str

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> Growth | None:
        """The growth that a checkpoint's state speaks of; None for a network that never grew."""
        found = state.get(KEY)
        return None if found is None else cls(**{**found, "new_layers": tuple(found["new_layers"])})

    def share(self, done: int) -> float:
        """What counts of the new parts when so many steps of the run are done: 0 at first, 1 when the growth is over."""
        return min(1.0, max(0, done - self.begun) / self.mask_steps)

    def rate(self, step: int) -> float:
        """The factor on the learning rate of a step (counted from 1): a second, short warm-up."""
        return min(1.0, (step - self.begun) / self.warmup) if self.warmup else 1.0


def unfinished(checkpoint: Checkpoint) -> tuple[Growth, float] | None:
    """The growth that a checkpoint lies in the midst of, and the share its masks have reached; None where it is the plain
    network."""
    growth = Growth.of(checkpoint.state)
    if growth is None:
        return None
    share = growth.share(checkpoint.step)
    return (growth, share) if share < 1.0 else None
