"""Loss against learning rate at several widths, under muP and under the plain parametrisation: where the best one lies.

Under muP the basins stand above each other; under the plain parametrisation they move to lower rates as the width grows. Both
learning rates are multiplied by the same factors. Trainings are kept below RUN/search: a call that was stopped goes on. The
figure that counts is from widths 64, 128, 256 and about 2M tokens a run (--steps 500 at 4,096 tokens a step).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks._trials import arguments, base, last_loss, result, say, scaled, trained
from core.storage import write_text
from trainer.config import TrainConfig
from trainer.search import plot
from trainer.search.widths import at_width

_KINDS = ("muP", "plain")


def main(given: list[str]) -> Iterable[dict[str, Any]]:
    asked = arguments("mup-basins", __doc__, 500)
    asked.add_argument("--widths", type=int, nargs="+", default=[64, 128, 256])
    asked.add_argument(
        "--factors", type=float, nargs="+", default=[0.0625, 0.125, 0.25, 0.5, 1.0, 2.0, 4.0], help="of the rates"
    )
    chosen = asked.parse_args(given)
    config, run = base(chosen)
    keys = [(kind, width, factor) for width in chosen.widths for kind in _KINDS for factor in chosen.factors]
    configs = [scaled(parametrised(config, kind, width), factor) for kind, width, factor in keys]
    losses = {key: last_loss(one) for key, one in zip(keys, trained(configs, run, chosen.slots), strict=True)}
    best: dict[tuple[str, int], float] = {}
    tokens = config.pretrain.steps * config.tokens_per_step
    first, last = chosen.widths[0], chosen.widths[-1]
    name = f"mup-basins: best learning rate, width {first} to {last}, {tokens:,} tokens a run"
    panels = []
    for kind in _KINDS:
        lines = {}
        for width in chosen.widths:
            row = [losses[kind, width, factor] for factor in chosen.factors]
            best[kind, width] = lowest(chosen.factors, row)
            lines[f"{width}"] = list(zip(chosen.factors, row, strict=True))
            points = "  ".join(f"x{f:g} {v:.4f}" for f, v in zip(chosen.factors, row, strict=True))
            mark = ""
            if at_the_edge(row):
                mark, name = " (at the edge: the best may lie beyond)", name + f"; {kind} at {width} at the edge of the factors"
            say(f"{kind:6} width {width:5}: {points}  best x{best[kind, width]:.3g}{mark}")
        panels.append((f"{kind}: loss by factor on the learning rates", lines))
    drawing = run.stage("search").path("mup-basins.svg")
    labels = {f"{width}": f"width {width}" for width in chosen.widths}
    write_text(drawing, plot.figure(panels, labels, None, "factor", log_x=True))
    moved = {kind: math.log2(best[kind, last] / best[kind, first]) for kind in _KINDS}
    say(f"curves: {drawing}; {tokens:,} tokens a run")
    yield result(name, moved["muP"], "doublings under muP", "plain parametrisation", moved["plain"])


def parametrised(config: TrainConfig, kind: str, width: int) -> TrainConfig:
    """The model at a width; plain: the same standard deviations and rates at every width, and nothing divided by m. At the base
    width, where m = 1, both are one model: it is trained once."""
    made = at_width(config, width)
    same = kind == "muP" or width == config.model.base_hidden
    return made if same else replace(made, model=replace(made.model, base_hidden=None))


def lowest(factors: list[float], losses: list[float]) -> float:
    """The factor with the lowest loss, by a parabola through the lowest point and its two neighbours in the logarithm."""
    place = int(np.argmin(losses))
    if not 0 < place < len(factors) - 1 or not all(map(math.isfinite, losses[place - 1 : place + 2])):
        return factors[place]
    bend, slope, _ = np.polyfit(np.log2(factors[place - 1 : place + 2]), losses[place - 1 : place + 2], 2)
    return float(2 ** (-slope / (2 * bend)))


def at_the_edge(losses: list[float]) -> bool:
    """Whether the lowest loss is the first's or the last's factor: the best one may lie beyond it."""
    return int(np.argmin(losses)) in (0, len(losses) - 1)
