"""A small model grown into a large one against the large one from scratch, at equal FLOPs: held-out loss, over seeds.

The small model is trained on a share of the FLOPs, grown in width, heads, feed-forward and depth at once, and the large one is
trained on the rest. Both are then compared by the FLOPs that each took to the loss which both reached, the higher of the two
last ones: a ratio below 1 is a saving, above 1 a loss. Beside both stands the small model trained on all of the FLOPs: where it
is the best of the three, the run is too short for the large size, and a saving says little. Curves go to RUN/search.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._trials import arguments, base, result, say, trained
from core.config import plain
from core.run import Run
from core.storage import local_path, write_text
from trainer.config import TrainConfig
from trainer.growth.grow import grow
from trainer.plan import flops_per_token_with_attention
from trainer.search import plot
from trainer.search.trials import Trial, bring_to
from trainer.search.widths import at_width, seeded


def main(given: list[str]) -> Iterable[dict[str, Any]]:
    asked = arguments("growth-saving", __doc__, 400)
    asked.add_argument("--widths", type=int, nargs=2, default=[64, 128], metavar=("SMALL", "LARGE"))
    asked.add_argument("--layers", type=int, nargs=2, default=[3, 4], metavar=("SMALL", "LARGE"))
    asked.add_argument("--share", type=float, default=0.4, help="of the FLOPs, for the small model")
    asked.add_argument("--seeds", type=int, default=3)
    chosen = asked.parse_args(given)
    config, run = base(chosen)
    every = max(1, chosen.steps // 10)
    config = replace(config, pretrain=replace(config.pretrain, validate_every=every, validate_sequences=64, save_every=0))
    small, large = (
        replace(made, model=replace(made.model, layers=layers))
        for made, layers in zip((at_width(config, width) for width in chosen.widths), chosen.layers, strict=True)
    )
    cost = {made: _flops_a_step(one, run) for made, one in (("small", small), ("large", large))}
    total = chosen.steps * cost["large"]
    before = round(chosen.share * total / cost["small"])
    after = round((total - before * cost["small"]) / cost["large"])
    small, grown = _of(small, before + after, before), _of(large, before + after, before + after)
    alone = _of(small, round(total / cost["small"]), round(total / cost["small"]))
    say(f"{chosen.steps} steps from scratch against {before} small ones and {after} grown ones, {total:.3g} FLOPs")
    curves: dict[str, list[tuple[float, float]]] = {}
    ratios, arrived = [], 0
    for seed in range(chosen.seeds):
        scratch, little, only = trained([seeded(one, seed) for one in (large, small, alone)], run, chosen.slots)
        made = _grown(seeded(grown, seed), little, run, chosen.slots)
        first = [(step * cost["large"], loss) for step, loss in _validations(scratch)]
        then = [(before * cost["small"] + (step - before) * cost["large"], loss) for step, loss in _validations(made)]
        start = [(step * cost["small"], loss) for step, loss in _validations(little)]
        curves[f"scratch, seed {seed}"], curves[f"grown, seed {seed}"] = first, [*start, *then]
        curves[f"small alone, seed {seed}"] = [(step * cost["small"], loss) for step, loss in _validations(only)]
        level, whole = max(first[-1][1], then[-1][1]), [*start[-1:], *then]  # growth leaves the loss as it was
        grown_flops, scratch_flops = reaches(whole, level), reaches(first, level)
        ratios.append(grown_flops / scratch_flops)
        arrived += then[-1][1] <= first[-1][1]
        name = f"growth-saving: seed {seed}, FLOPs to the loss that both reached"
        yield result(name, grown_flops / 1e12, "TFLOP", "from scratch", scratch_flops / 1e12)
        for beside, loss in (("from scratch", first[-1][1]), ("small alone", _validations(only)[-1][1])):
            yield result(f"growth-saving: seed {seed}, held-out loss", then[-1][1], "nats a token", beside, loss)
    drawing = run.stage("search").path("growth-saving.svg")
    write_text(drawing, plot.figure([("held-out loss", curves)], {name: name for name in curves}, None, "FLOPs"))
    say(f"curves: {drawing}")
    mean = float(np.exp(np.mean(np.log(ratios))))
    name = "growth-saving: FLOPs to the loss that both reached, mean ratio"
    yield result(name, mean, "of from scratch", "nothing saved", 1.0)
    yield result("growth-saving: seeds that came down to the loss from scratch", arrived, "seeds", "of", chosen.seeds)


def reaches(curve: list[tuple[float, float]], loss: float) -> float:
    """FLOPs at which a curve that ends at a loss or below it first comes down to it, straight between its points."""
    for (at, high), (to, low) in zip(curve, curve[1:], strict=False):
        if low <= loss:
            return at if high <= loss else at + (to - at) * (high - loss) / (high - low)
    return curve[-1][0]


def _of(config: TrainConfig, length: int, steps: int) -> TrainConfig:
    schedule = replace(config.pretrain.schedule, length=length)
    return replace(config, pretrain=replace(config.pretrain, schedule=schedule, steps=steps))


def _grown(config: TrainConfig, source: Trial, run: Run, slots: int) -> Trial:
    """The grown model, trained to its end."""
    ramp = max(1, (config.pretrain.steps - source.steps) // 8)
    asked = replace(config.grow, source=str(source.folder), mask_steps=ramp, warmup=max(1, ramp // 2))
    settings = plain(replace(config, run="", grow=replace(asked, source=None)))
    name = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:8]
    folder = Path(local_path(run.stage("search").path("trials", f"{source.folder.name}-grown-{name}")))
    made = Trial(folder, replace(config, run=str(folder), grow=asked))
    if made.reached < made.steps:
        grow(made.config)
        bring_to([made], [made.steps], run, slots)
    return made


def _flops_a_step(config: TrainConfig, run: Run) -> float:
    manifest = json.loads(Path(local_path(run.stage("encode").path("manifest.json"))).read_text(encoding="utf-8"))
    model = replace(config.model, vocab=int(manifest["tokenizer"]["vocab_size"]))
    return flops_per_token_with_attention(model) * config.tokens_per_step


def _validations(one: Trial) -> list[tuple[int, float]]:
    """Step and held-out loss, all domains by their tokens, from a training's log."""
    found = []
    for line in (one.folder / "pretrain/log.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if "validation" in row:
            tokens = sum(domain["tokens"] for domain in row["validation"].values())
            found.append((row["step"], sum(d["loss"] * d["tokens"] for d in row["validation"].values()) / tokens))
    return found
