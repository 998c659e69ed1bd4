"""The loss of a model twice as wide as the widest fitted, foretold by a N^b + c from five narrower widths and three seeds.

Beside its error: a third of the gap between the widest fitted and the held-out loss, 1 % of that loss, and the errors of
straight lines, in the logarithms of both and of the size alone. Also says whether a wider model was ever worse on the same
data. Heads are 16 wide (model.heads=4 at hidden 64), so that every width has a whole number of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from benchmarks._trials import arguments, base, last_loss, result, say, trained
from core import storage
from trainer.config import TrainConfig
from trainer.plan import parameters
from trainer.search.fit import fit
from trainer.search.predict import wider_is_worse
from trainer.search.widths import at_width, seeded


def main(given: list[str]) -> Iterable[dict[str, Any]]:
    asked = arguments("loss-prediction", __doc__, 500)
    asked.add_argument("--widths", type=int, nargs="+", default=[32, 48, 64, 96, 128], help="those that are fitted")
    asked.add_argument("--seeds", type=int, default=3)
    chosen = asked.parse_args(given)
    config, run = base(chosen, "model.heads=4")
    held_out = 2 * chosen.widths[-1]
    keys = [(width, seed) for width in (*chosen.widths, held_out) for seed in range(chosen.seeds)]
    done = trained([seeded(at_width(config, width), seed) for width, seed in keys], run, chosen.slots)
    runs = dict(zip(keys, done, strict=True))
    vocabulary = int(storage.read_json(run.stage("encode").path("manifest.json"))["tokenizer"]["vocab_size"])
    sizes = {width: _millions(at_width(config, width), vocabulary) for width in (*chosen.widths, held_out)}
    losses = {width: [last_loss(runs[width, seed]) for seed in range(chosen.seeds)] for width in sizes}
    for width, row in losses.items():
        say(f"width {width:5} ({sizes[width]:.3f}M): " + "  ".join(f"{loss:.4f}" for loss in row))
    x = [sizes[width] for width in chosen.widths for _ in range(chosen.seeds)]
    y = [loss for width in chosen.widths for loss in losses[width]]
    made = fit(x, y)
    foretold, half = made.loss(sizes[held_out]), made.half_width(sizes[held_out])
    reached, widest = float(np.mean(losses[held_out])), float(np.mean(losses[chosen.widths[-1]]))
    say(f"loss = {made.a:.4g} N^{made.b:.4g} + {made.c:.4g}; foretold {foretold:.4f} +- {half or 0:.4f}, reached {reached:.4f}")
    logs = {width: [runs[width, seed].rows() for seed in range(chosen.seeds)] for width in sizes}
    for pair in wider_is_worse(logs, max(1, chosen.steps // 20)):
        say(
            f"width {pair['wide']} worse than {pair['narrow']} in {pair['worse']} of {pair['windows']} windows of the same data"
        )
    name, error = f"loss-prediction: width {held_out} from {chosen.widths[0]} to {chosen.widths[-1]}", abs(foretold - reached)
    yield result(f"{name}, error", error, "nats a token", "a third of the gap to the widest fitted", (widest - reached) / 3)
    yield result(f"{name}, error", error, "nats a token", "1 % of the loss", reached / 100)
    for how, line in (("log loss by log size", straight), ("loss by log size", log_linear)):
        other = abs(line(x, y, sizes[held_out]) - reached)
        yield result(f"{name}, error", error, "nats a token", f"error of a straight line, {how}", other)


def straight(sizes: Sequence[float], losses: Sequence[float], size: float) -> float:
    """The loss at a size by a straight line in the logarithm of both: what a fit without a floor would say."""
    return float(np.exp(log_linear(sizes, np.log(losses).tolist(), size)))


def log_linear(sizes: Sequence[float], losses: Sequence[float], size: float) -> float:
    """The loss at a size if it fell by as much at every doubling of the size."""
    slope, level = np.polyfit(np.log(sizes), losses, 1)
    return float(slope * np.log(size) + level)


def _millions(config: TrainConfig, vocabulary: int) -> float:
    rows = -(-vocabulary // config.model.vocab_multiple) * config.model.vocab_multiple
    return parameters(type(config.model)(**{**vars(config.model), "vocab": rows})) / 1e6
