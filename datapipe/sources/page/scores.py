"""How likely each block of a page is main text, by two small networks: by its measures, then by its neighbours' scores too.

The second sees what the first thought of the blocks before and after and of all that the surrounding elements hold: main text
comes in runs, and a short line is what its surroundings are. Weights are multiples of 1/256 and inputs of 1/64, so that in
double precision every sum is exact and the scores do not depend on the order in which a machine's library adds.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datapipe.sources.page.blocks import Blocks
from datapipe.sources.page.features import Measured, measures, over, shifted, sums

Array = NDArray[Any]
WEIGHTS = files("datapipe.sources.page") / "weights.json"  # the package may lie in an archive that executors were sent
BOUND = 8.0


@dataclass(frozen=True)
class Network:
    """One hidden layer of rectified units; inputs are centred, scaled, bounded to +-8 and rounded to 1/64."""

    centre: Array
    scale: Array
    hidden: Array
    bias: Array
    out: Array
    out_bias: float

    def inputs(self, values: Array) -> Array:
        even: Array = values - self.centre
        even *= self.scale * 64
        np.rint(np.clip(even, -64 * BOUND, 64 * BOUND, out=even), out=even)
        even /= 64
        return even

    def __call__(self, values: Array) -> Array:
        """Log-odds of each row, rounded to 1/64."""
        active = self.inputs(values) @ self.hidden
        active += self.bias
        found = np.maximum(active, 0, out=active) @ self.out + self.out_bias
        rounded: Array = np.round(np.clip(found, -BOUND, BOUND) * 64) / 64
        return rounded


@lru_cache(maxsize=1)
def networks() -> tuple[Network, Network]:
    """The fitted networks (`weights.json`, written by `fit`)."""
    first, second = json.loads(WEIGHTS.read_text())
    return _network(first), _network(second)


@lru_cache(maxsize=1)
def fitted() -> str:
    """Which weights these are: what was extracted with others is no longer up to date."""
    return hashlib.sha256(WEIGHTS.read_bytes()).hexdigest()[:16]


def _network(held: dict[str, Any]) -> Network:
    arrays = {name: np.array(held[name], np.float64) for name in ("centre", "scale", "hidden", "bias", "out")}
    return Network(**arrays, out_bias=float(held["out_bias"]))


def score(blocks: Blocks, title: str) -> Array:
    """The log-odds of every block, by both networks. [blocks], float64."""
    first, second = networks()
    measured = measures(blocks, title)
    return second(with_context(measured, first(measured.values)))


def with_context(measured: Measured, scores: Array) -> Array:
    """A block's measures and what the first network thinks of it, of its neighbours, of what holds it, and of the page."""
    weight = measured.weight
    likely = (np.clip(scores, -4, 4) / 8 + 0.5).astype(np.float32)
    column = likely[:, None]
    around = [shifted(column, by) for by in (-6, -5, -4, -3, -2, -1, 1, 2, 3, 4, 5, 6)]
    mass = weight * likely
    whole = mass.sum() + 1
    total = sums([weight, mass])
    held = []
    for start, end in measured.intervals:
        chars, likely_chars = over(total, start, end)
        held += [likely_chars / chars, likely_chars / whole]
    before = (np.cumsum(mass) - mass) / whole
    page = [np.full(len(weight), value) for value in (likely.max(), mass.sum() / weight.sum(), np.log1p(mass.sum()))]
    return np.concatenate([measured.values, scores[:, None], *around, np.stack([*held, before, *page], axis=1)], axis=1)
