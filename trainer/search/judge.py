"""What the report weighed by eye, in figures: rate of loss decrease, stability of the trend, stability of the gradient norm."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from trainer.config.search import EarlyStop, Weighing
from trainer.search.combination import Combination
from trainer.search.trials import Row

Status = Literal["finished", "unstable", "stopped", "broke"]
_PLACES: tuple[Status, ...] = ("finished", "unstable", "stopped", "broke")


@dataclass(frozen=True)
class Figures:
    """Of a trial's last half, from means over windows of steps.

    loss: nats, the last window's; rate: nats by which it falls while the tokens grow e-fold; trend: root mean square of the
    windows around that line, nats; norm: e-folds by which the gradient norm rose, by the windows' medians; spread: the root
    mean square of single steps' gradient norms around that line, e-folds, so that a spike between two medians counts.
    """

    loss: float
    rate: float
    trend: float
    norm: float
    spread: float

    def score(self, weigh: Weighing) -> float:
        """Lower is better: `Weighing` says how."""
        ahead = self.rate * math.log(weigh.horizon)
        norms = weigh.norm * max(0.0, self.norm) + weigh.spread * self.spread
        return self.loss - ahead + weigh.trend * self.trend + norms


@dataclass(frozen=True)
class Outcome:
    """How a trial ended, and at which step."""

    name: str
    combination: Combination
    status: Status
    step: int
    figures: Figures
    score: float


def loss_at(rows: Sequence[Row], step: int, window: int) -> float:
    """The mean loss of the last `window` steps up to a step; infinite where one is no number."""
    losses = [row.loss for row in rows if step - window < row.step <= step]
    mean = sum(losses) / len(losses) if losses else math.inf
    return mean if math.isfinite(mean) else math.inf


def figures(rows: Sequence[Row], window: int) -> Figures:
    """The figures of a log of at least two windows of steps; infinite where a loss is no number."""
    half = [row for row in rows if row.step > rows[-1].step // 2] if rows else []
    count = len(half) // window
    kept = half[len(half) - count * window :]
    if count < 2 or not all(math.isfinite(row.loss) and math.isfinite(row.norm) for row in kept):
        return Figures(loss_at(rows, rows[-1].step, window) if rows else math.inf, 0.0, math.inf, math.inf, math.inf)
    tokens, losses, norms = (
        np.array([[getattr(row, name) for row in kept]], dtype=np.float64).reshape(count, window)
        for name in ("tokens", "loss", "norm")
    )
    x = np.log(tokens.mean(1))
    means, norms = losses.mean(1), np.log(np.maximum(norms, 1e-30))
    slope, level = _line(x, means)
    rising, height = _line(x, np.median(norms, 1))
    return Figures(
        loss=float(means[-1]),
        rate=-slope,
        trend=_around(means, slope * x + level),
        norm=rising * float(x[-1] - x[0]),
        spread=_around(norms, rising * np.log(tokens) + height),
    )


def _line(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Slope and level of the least-squares line."""
    slope, level = np.polyfit(x, y, 1)
    return float(slope), float(level)


def _around(y: np.ndarray, line: np.ndarray) -> float:
    """The root mean square around a line."""
    return float(np.sqrt(np.mean((y - line) ** 2)))


def falls_behind(losses: Mapping[str, float], rule: EarlyStop) -> set[str]:
    """The trials that a rung stops: those whose loss lies more than the margin above the lowest at the same step."""
    best = min(losses.values(), default=math.inf)
    return {name for name, loss in losses.items() if not loss <= best + rule.margin}


def settle(
    name: str, combination: Combination, rows: Sequence[Row], steps: int, broke: int | None, window: int, weigh: Weighing
) -> Outcome:
    """A trial's outcome from its log up to the step that it was to reach."""
    found = figures(rows, window)
    step = rows[-1].step if rows else 0
    status: Status = "finished"
    if broke is not None or not math.isfinite(found.loss):
        status, step = "broke", broke if broke is not None else step
    elif step < steps:
        status = "stopped"
    elif found.norm > weigh.rise:
        status = "unstable"
    return Outcome(name, combination, status, step, found, found.score(weigh))


def ranked(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Best first: what finished and is stable by score, then what is not stable, then what was stopped (late before early,
    lower loss first), then what broke. Equal ones by name, so the order never depends on time."""

    def key(one: Outcome) -> tuple[float, ...]:
        own = (one.score,) if one.status in ("finished", "unstable") else (-one.step, one.figures.loss)
        return (_PLACES.index(one.status), *own)

    return sorted(sorted(outcomes, key=lambda one: one.name), key=key)
