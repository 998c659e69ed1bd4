"""Hyper-parameters found on a narrow proxy, carried to a wide model, and its loss foretold (report, section 3.5)."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from core.config import ConfigError, setting
from trainer.config.checks import at_least, within

SEVEN = ("lr", "lr_matrix", "min_lr", "init_std", "init_std_matrix", "input_mult", "output_mult")
"""The report's seven: learning rate, the same of matrix-like parameters, learning rate at the schedule's end, standard
deviation, the same of matrix-like parameters, input and output multiplier; all as they stand at the base width (m = 1)."""


def known(name: str, values: Iterable[str]) -> None:
    """Refuses a hyper-parameter that is none of the seven."""
    for value in values:
        if value not in SEVEN:
            raise ConfigError(f"{name}: '{value}' is none of the seven that are searched: {', '.join(SEVEN)}.")


@dataclass(frozen=True)
class EarlyStop:
    """Which trials end before their last step: at each rung all are compared at the same step, so the order in which they ran
    and the slots they ran in do not matter."""

    rungs: list[float] = setting([0.25, 0.5], "shares of a trial's steps after which it may be stopped; [] never")
    margin: float = setting(0.3, "nats by which a trial's loss may lie above the best one's at a rung")

    def __post_init__(self) -> None:
        if self.rungs != sorted(set(self.rungs)) or any(not 0 < rung < 1 for rung in self.rungs):
            raise ConfigError(f"rungs = {self.rungs} must be rising shares between 0 and 1.")
        at_least("margin", self.margin, 0.0)


@dataclass(frozen=True)
class Weighing:
    """How the choice weighs what the report weighed by eye: score = loss after `horizon` x the tokens, at the rate at which it
    now falls, + trend x its unsteadiness + norm x the rise of the gradient norm + spread x its unsteadiness; the lowest is
    chosen."""

    horizon: float = setting(1.5, "the rate of loss decrease is carried on to this many times the tokens; 1 leaves it out")
    trend: float = setting(1.0, "nats for each nat of root mean square around the falling line")
    norm: float = setting(0.1, "nats for each e-fold by which the gradient norm rose in the last half; a fall counts nothing")
    spread: float = setting(
        0.1, "nats for each e-fold of root mean square by which single steps' gradient norms lie off their trend; spikes count"
    )
    rise: float = setting(0.4, "a norm that rose by more e-folds than this in the last half is not chosen, whatever its loss")

    def __post_init__(self) -> None:
        at_least("horizon", self.horizon, 1.0)
        for name in ("trend", "norm", "spread", "rise"):
            at_least(name, getattr(self, name), 0.0)


@dataclass(frozen=True)
class SearchConfig:
    """Trials of combinations; each is an ordinary run of pre-training, all on the same data in the same order."""

    grid: dict[str, list[float]] = setting({}, "values of some of the seven; every combination of them is a trial")
    list: list[dict[str, float]] = setting([], "combinations one by one; what one leaves out is as the config has it")
    slots: int = setting(
        1,
        "trials at a time; each takes as many devices as `parallel` has ranks, of this host or of those in parallel.hostfile, "
        "and its share of the cores",
    )
    window: float = setting(0.05, "share of a trial's steps over which its loss is averaged")
    early_stop: EarlyStop = setting(EarlyStop)
    weigh: Weighing = setting(Weighing)
    probe: float = setting(
        2.0,
        "after the choice, each of the seven that no two trials differ in alone is tried at this many times its value, to say "
        "how sensitive the loss is to it, and trained to its end; 1 leaves it out",
    )

    def __post_init__(self) -> None:
        at_least("slots", self.slots, 1)
        within("window", self.window, 0.0, 0.25)  # the last half of a trial must hold two windows
        if self.probe <= 0:
            raise ConfigError(f"probe = {self.probe} must be more than 0; 1 leaves the probes out.")
        known("grid", self.grid)
        for place, entry in enumerate(self.list):
            known(f"list[{place}]", entry)
        empty = [name for name, values in self.grid.items() if not values]
        if empty:
            raise ConfigError(f"grid.{empty[0]} = [] has no values; give some, or leave it out.")
        values = [*self.grid.values(), *(list_.values() for list_ in self.list)]
        if any(not (value > 0 and math.isfinite(value)) for row in values for value in row):
            raise ConfigError("search: every value must be a positive number.")


@dataclass(frozen=True)
class TransferConfig:
    """Which model the values are carried to; the config's own model is the proxy."""

    target: str | None = setting(None, "a training config: the model, layout, batch and schedule that the values are for")
    combination: dict[str, float] = setting(
        {}, "the values, by name; what is left out is what RUN/search chose or, where there is none, as the config has it"
    )

    def __post_init__(self) -> None:
        known("combination", self.combination)


@dataclass(frozen=True)
class PredictConfig:
    """Loss against width, from narrow runs to the target."""

    widths: list[int] = setting([], "hidden sizes to train and to fit; heads and feed-forward grow with them")
    seeds: int = setting(1, "runs of each width, from other first weights on the same data")
    target: str | None = setting(None, "a training config whose loss is foretold; null: transfer.target")
    reached: str | None = setting(
        None, "a run of the target, finished or in training, to show beside what was foretold; null: this run, where it is one"
    )
    interval: float = setting(0.95, "share of runs that the interval is to hold")
    points: int = setting(8, "places on the way at which the loss is foretold, for pretrain.monitor.predicted")

    def __post_init__(self) -> None:
        within("interval", self.interval, 0.5, 0.999)
        at_least("seeds", self.seeds, 1)
        at_least("points", self.points, 1)
        if self.widths != sorted(set(self.widths)) or any(width < 1 for width in self.widths):
            raise ConfigError(f"widths = {self.widths} must be rising hidden sizes.")
