"""Growth: a trained network as the beginning of a wider and deeper one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.config import ConfigError, setting
from trainer.config.checks import at_least

LayerChoice = Literal["stack", "interpolate", "distance"]


@dataclass(frozen=True)
class GrowthStage:
    """One stage of a path of growth, for `plan`."""

    config: str = setting(why="a training config: its model, layout and batch")
    tokens: float = setting(why="tokens that this stage is trained on")


@dataclass(frozen=True)
class GrowConfig:
    """From which network this run's own grows, and how (masked structural growth, Yao et al. 2023)."""

    source: str | None = setting(None, "the run that is grown, from its newest whole checkpoint; null: this run does not grow")
    checkpoint: str | None = setting(None, "which of its checkpoints, for example step-00000200; null is the newest")
    mask_steps: int = setting(
        1000, "steps over which the masks of what is new rise from 0 to 1; the report does not print its own number"
    )
    warmup: int = setting(
        100,
        "steps over which the learning rate rises again after growth: the moments of new weights begin at zero with Adam's old "
        "step, so a first update may be (1 - beta1) / sqrt(1 - beta2) times the rate",
    )
    layers: LayerChoice = setting(
        "distance",
        "which blocks new ones copy; stack: the last ones, on top; interpolate: at even distances; distance (the report's): "
        "those whose output is nearest to their input",
    )
    sequences: int = setting(8, "training sequences on which that distance is measured")
    workers: int = setting(
        1,
        "processes that write the grown checkpoint's files, each one file at a time: in memory it takes up to twice that file, "
        "which is 12 bytes a weight of a layer (93 GB at 1T); any number writes the same",
    )
    path: list[GrowthStage] = setting([], "stages of a path of growth; `make plan` counts what they take together")

    def __post_init__(self) -> None:
        for name in ("mask_steps", "sequences", "workers"):
            at_least(name, getattr(self, name), 1)
        at_least("warmup", self.warmup, 0)
        for place, stage in enumerate(self.path):
            if stage.tokens <= 0:
                raise ConfigError(f"path[{place}].tokens = {stage.tokens} must be more than 0.")
