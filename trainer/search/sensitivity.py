"""How much the loss depends on each of the seven, from pairs of trials that differ in it alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from trainer.config.search import SEVEN
from trainer.search.combination import Combination
from trainer.search.judge import Outcome


@dataclass(frozen=True)
class Sensitivity:
    """Of one hyper-parameter: pairs that differ in it alone; change: nats that a doubling adds to the loss, the mean over the
    pairs; size: the mean of its absolute value; both None where no two trials can say."""

    name: str
    pairs: int
    change: float | None
    size: float | None


def alone(one: Combination, other: Combination) -> str | None:
    """The hyper-parameter that two combinations differ in, where it is a single one.

    A minimum learning rate counts as the same if its value is, or its share of the learning rate.
    """
    ours, theirs = one.values(), other.values()
    differ = [name for name in SEVEN if not math.isclose(ours[name], theirs[name], rel_tol=1e-9)]
    if differ == ["lr", "min_lr"] and math.isclose(one.min_lr / one.lr, other.min_lr / other.lr, rel_tol=1e-9):
        return "lr"
    return differ[0] if len(differ) == 1 else None


def sensitivities(outcomes: Sequence[Outcome]) -> list[Sensitivity]:
    """One for each of the seven, the largest first; only trials that ran to their end are compared."""
    found: dict[str, list[float]] = {name: [] for name in SEVEN}
    ended = [one for one in outcomes if one.status in ("finished", "unstable")]
    for one, other in combinations(ended, 2):
        name = alone(one.combination, other.combination)
        if name is not None:
            doublings = math.log2(other.combination.values()[name] / one.combination.values()[name])
            found[name].append((other.figures.loss - one.figures.loss) / doublings)
    made = [_of(name, changes) for name, changes in found.items()]
    return sorted(made, key=lambda one: -(one.size or 0.0))


def _of(name: str, changes: list[float]) -> Sensitivity:
    if not changes:
        return Sensitivity(name, 0, None, None)
    return Sensitivity(name, len(changes), sum(changes) / len(changes), sum(map(abs, changes)) / len(changes))


def probes(center: Combination, outcomes: Sequence[Outcome], factor: float) -> list[Combination]:
    """The combinations still to try so that each of the seven has a pair: the center with that one times `factor`."""
    if factor == 1.0:
        return []
    known = {one.name for one in sensitivities(outcomes) if one.pairs}
    made = []
    for name in SEVEN:
        if name not in known:
            value = center.values()[name] * factor
            if name == "min_lr":
                value = value if value <= center.lr else center.min_lr / factor
            made.append(center.but({name: value}))
    return made
