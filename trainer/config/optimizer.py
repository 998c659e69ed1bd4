"""The optimizer, its schedule, and what watches over them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.config import ConfigError, setting
from trainer.config.checks import at_least, within


@dataclass(frozen=True)
class OptimizerConfig:
    """AdamW with two groups, vector-like and matrix-like (Table 4)."""

    lr: float = setting(1e-3, "peak learning rate of vector-like parameters (embedding, head, norm gains)")
    lr_matrix: float = setting(1e-3, "the same of matrix-like ones at m = 1; muP divides it by m")
    beta1: float = setting(0.9, "Adam's first moment decay")
    beta2: float = setting(0.95, "Adam's second moment decay")
    eps: float = setting(1e-8, "Adam's epsilon")
    weight_decay: float = setting(0.0, "weight decay of matrix-like parameters; Table 4 prints 0")
    weight_decay_vector: float = setting(0.0, "weight decay of vector-like parameters")
    weight_decay_form: Literal["decoupled", "scaled", "coupled"] = setting(
        "decoupled",
        "decoupled: lr x decay (AdamW), which falls with 1/m in a muP matrix group; scaled: decay x m there, so that it does "
        "not; coupled: decay x weight joins the gradient (Adam), decay x m there",
    )
    clip: float = setting(1.0, "global gradient norm above which gradients are scaled down; 0 is off")

    def __post_init__(self) -> None:
        for name in ("lr", "lr_matrix", "weight_decay", "weight_decay_vector", "clip"):
            at_least(name, getattr(self, name), 0.0)
        for name in ("beta1", "beta2"):
            within(name, getattr(self, name), 0.0, 0.99999)


@dataclass(frozen=True)
class ScheduleConfig:
    """A factor on each group's own learning rate (report: cosine to 0.1, over 2.5T tokens, stopped at 2T)."""

    kind: Literal["cosine", "linear", "constant", "wsd"] = setting(
        "cosine", "the shape after warm-up; wsd is warm-up, stable, decay"
    )
    unit: Literal["steps", "tokens"] = setting("steps", "what the lengths below count")
    warmup: int = setting(0, "length of the linear warm-up")
    length: int | None = setting(
        None, "where the schedule reaches its minimum, apart from where the run stops; null is the run's end"
    )
    minimum: float = setting(0.1, "the last factor")
    decay: int = setting(0, "wsd only: length of the fall at the end")

    def __post_init__(self) -> None:
        at_least("warmup", self.warmup, 0)
        within("minimum", self.minimum, 0.0, 1.0)
        if self.length is not None and self.length <= self.warmup:
            raise ConfigError(
                f"length = {self.length} is not beyond warmup = {self.warmup}; the schedule counts from 0 and holds both."
            )
        if self.kind == "wsd" and self.decay < 1:
            raise ConfigError(
                f"decay = {self.decay}: warm-up-stable-decay needs the length of its fall; use about a tenth of the run."
            )
        if self.length is not None:
            self.fits(self.length, f"length = {self.length}")

    def fits(self, length: float, named: str, prefix: str = "") -> None:
        """Refuses a length that a fall and the warm-up before it do not fit into: the factor would jump between them."""
        if self.kind == "wsd" and self.warmup + self.decay > length:
            raise ConfigError(
                f"{prefix}warmup = {self.warmup} and decay = {self.decay} are together longer than {named}; "
                "make one of them shorter."
            )


@dataclass(frozen=True)
class MonitorConfig:
    """What is watched while the run goes on (report, section 5: what its loss and gradient norm taught)."""

    window: int = setting(64, "steps over which the usual loss and gradient norm are measured")
    spike: float = setting(6.0, "a value this many standard deviations above the window's mean is a spike")
    trend: float = setting(
        0.5, "an alarm: the gradient norm's median over the last window rose by this share over the window before"
    )
    policy: Literal["log", "skip", "stop"] = setting(
        "log",
        "what a spike in both loss and gradient norm does; skip: its update is not made; in the loss alone it is let be",
    )
    skips: int = setting(8, "for skip: steps skipped in a row after which the run stops, for that is no spike any more")
    predicted: list[list[float]] = setting(
        [], "a predicted curve, [[tokens, loss], ...]; between its points straight in log tokens"
    )
    interval: float = setting(0.05, "nats by which the window's mean loss may lie above the prediction before an alarm")

    def __post_init__(self) -> None:
        at_least("window", self.window, 8)
        at_least("skips", self.skips, 1)
        tokens = [point[0] for point in self.predicted if point]
        if any(len(point) != 2 for point in self.predicted) or tokens != sorted(set(tokens)) or (tokens and tokens[0] < 1):
            raise ConfigError(f"predicted = {self.predicted} must be pairs [tokens, loss] with rising tokens, from 1 on.")
