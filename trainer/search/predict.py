"""What the wide model will reach, from narrow runs on the same data; whether wider was ever worse; foretold beside reached."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from core import storage
from core.config import ConfigError, plain
from core.run import Run
from trainer import plan
from trainer.config import TrainConfig
from trainer.launch import check_mounted
from trainer.search import plot
from trainer.search import reached as real
from trainer.search.fit import Fit, fit
from trainer.search.judge import loss_at
from trainer.search.transfer import PREDICTION, carry, chosen, doubts, target_of, terms
from trainer.search.trials import Row, Trial, bring_to, record, shards, trial
from trainer.search.widths import at_width, seeded

Runs = Mapping[int, Sequence[Trial]]


def predict(config: TrainConfig) -> list[str]:
    """Trains the widths, fits, and writes RUN/predict/: prediction.json, curve.svg. Returns the text for a person.

    The target's loss is foretold at the places that the narrow runs passed: the same number of tokens, the same batch and
    schedule. A real run of the target, `predict.reached`, is compared with it there, on its way too.
    """
    check_mounted("run", config.run)
    run, asked = Run(config.run), config.predict
    if len(asked.widths) < 3:
        raise ConfigError(f"predict.widths = {asked.widths}: a curve of three parameters needs three widths, better five.")
    encoded = shards(run)
    run.prepare()
    record(config, run)
    combination, origin = chosen(config, run)
    base = combination.laid_on(config)
    target = carry(combination, config, target_of(asked.target or config.transfer.target))
    target = replace(target, model=replace(target.model, vocab=target.model.vocab or _vocabulary(run)))
    followed = real.real_run(asked.reached, run, target.model)
    narrow = {width: [_seeded(base, width, seed, run) for seed in range(asked.seeds)] for width in asked.widths}
    every = [one for runs in narrow.values() for one in runs]
    until = config.pretrain.steps
    bring_to(every, [until] * len(every), run, config.search.slots)
    broken = [one for one in every if one.broke_by(until) is not None]
    if broken:
        raise ConfigError(f"{broken[0].folder}: this run broke at step {broken[0].broke}; a smaller learning rate is needed.")
    window = max(1, round(config.search.window * until))
    places = [round(until * (n + 1) / asked.points) for n in range(asked.points)]
    sizes = {width: plan.parameters(_complete(runs[0].config, run).model) / 1e6 for width, runs in narrow.items()}
    tokens = {step: config.pretrain.sequences_through(step) * config.model.context for step in places}
    curve = foretell(narrow, sizes, plan.parameters(target.model) / 1e6, tokens, window, asked.interval)
    steps = wider_is_worse({width: [one.rows(until) for one in runs] for width, runs in narrow.items()}, window)
    span = window * config.tokens_per_step
    facts = {
        "combination": combination.values(),
        "from": origin,
        "target": {"parameters": plan.parameters(target.model), "model": plain(target.model)},
        "encode": encoded,
        "terms": terms(base),
        "widths": {
            str(width): {"millions": sizes[width], "loss": _losses(runs, places[-1], window)} for width, runs in narrow.items()
        },
        "curve": curve,
        "predicted": [[place["tokens"], round(place["loss"], 5)] for place in curve],
        "wider_is_worse": steps,
        "notes": doubts(config, target),
        "reached": None if followed is None else real.reached(followed, curve, span, {**terms(base), "shards": encoded}),
    }
    storage.write_json(run.stage("predict").path(PREDICTION), facts)
    last = curve[-1]["fit"]
    found = Fit(last["a"], last["b"], last["c"], 0.0, 0, None)
    drawn = _drawing(narrow, sizes, found, plan.parameters(target.model) / 1e6, places[-1], window)
    storage.write_text(run.stage("predict").path("curve.svg"), drawn)
    return lines(facts)


def foretell(
    narrow: Runs, sizes: Mapping[int, float], size: float, places: Mapping[int, int], window: int, share: float
) -> list[dict[str, Any]]:
    """The loss of a model of `size` million parameters at each place (a step and its tokens): loss, half the interval, fit."""
    logs = {one.folder: one.rows() for runs in narrow.values() for one in runs}
    made = []
    for step, tokens in places.items():
        xs = [sizes[width] for width, runs in narrow.items() for _ in runs]
        ys = [loss_at(logs[one.folder], step, window) for runs in narrow.values() for one in runs]
        found = fit(xs, ys)
        values = {"a": found.a, "b": found.b, "c": found.c, "noise": found.noise}
        half = found.half_width(size, share)
        made.append({"step": step, "tokens": tokens, "loss": found.loss(size), "half_width": half, "fit": values})
    return made


def wider_is_worse(logs: Mapping[int, Sequence[Sequence[Row]]], window: int) -> list[dict[str, Any]]:
    """Of each width and the next: windows of steps in which the wider one's mean loss lay above the narrower one's on the same
    data, how many windows there were, the most by which it did, and whether it did in the last."""
    means = {width: _window_means(runs, window) for width, runs in sorted(logs.items())}
    found = []
    for (narrow, low), (wide, high) in zip(list(means.items()), list(means.items())[1:], strict=False):
        count = min(len(low), len(high))
        above = high[:count] - low[:count]
        found.append(
            {
                "narrow": narrow, "wide": wide, "windows": count, "worse": int((above > 0).sum()),
                "most": float(above.max()), "last": float(above[-1]),
            }
        )  # fmt: skip
    return found


def _window_means(runs: Sequence[Sequence[Row]], window: int) -> np.ndarray:
    """The mean loss of each window of steps over all seeds."""
    losses = np.mean([[row.loss for row in run] for run in runs], axis=0)
    count = len(losses) // window
    means: np.ndarray = losses[: count * window].reshape(count, window).mean(1)
    return means


def _seeded(base: TrainConfig, width: int, seed: int, run: Run) -> Trial:
    return trial(seeded(at_width(base, width), seed), run)


def _losses(runs: Sequence[Trial], step: int, window: int) -> list[float]:
    return [loss_at(one.rows(), step, window) for one in runs]


def _vocabulary(run: Run) -> int:
    return int(storage.read_json(run.stage("encode").path("manifest.json"))["tokenizer"]["vocab_size"])


def _complete(config: TrainConfig, run: Run) -> TrainConfig:
    return replace(config, model=replace(config.model, vocab=config.model.vocab or _vocabulary(run)))


def _drawing(narrow: Runs, sizes: Mapping[int, float], found: Fit, size: float, step: int, window: int) -> str:
    points = [(sizes[width], loss) for width, runs in narrow.items() for loss in _losses(runs, step, window)]
    line = [(float(x), found.loss(float(x))) for x in np.geomspace(min(sizes.values()), size, 60)]
    labels = {"runs": "runs", "fit": f"{found.a:.4g} N^{found.b:.4g} + {found.c:.4g}"}
    panel = ("loss, nats a token", {"runs": sorted(points), "fit": line})
    return plot.figure([panel], labels, "fit", "million parameters", log_x=True)


def lines(facts: Mapping[str, Any]) -> list[str]:
    """The prediction for a person."""
    last, target = facts["curve"][-1], facts["target"]
    found, half = last["fit"], last["half_width"]
    interval = f" +- {half:.4f}" if half is not None else " (too few runs for an interval)"
    said = [
        f"with the values of {facts['from']}:",
        *(
            f"width {width:>6}: {row['millions']:10.2f}M parameters, loss {np.mean(row['loss']):.4f}"
            for width, row in facts["widths"].items()
        ),
        f"loss = {found['a']:.4g} N^{found['b']:.4g} + {found['c']:.4g}, N in millions; runs lie {found['noise']:.4f} off it",
        f"width {target['model']['hidden']:>6}: {target['parameters'] / 1e6:10.2f}M parameters, "
        f"loss {last['loss']:.4f}{interval} foretold at {last['tokens']:,} tokens",
    ]
    for row in facts["wider_is_worse"]:
        said.append(
            f"width {row['wide']} against {row['narrow']}: worse in {row['worse']} of {row['windows']} windows of the same "
            f"data, by {max(0.0, row['most']):.4f} at most; {-row['last']:+.4f} better in the last"
        )
    said.extend(f"mind {note}" for note in facts["notes"])
    if facts["reached"] is not None:
        said.extend(real.lines(facts["reached"]))
    return [*said, f"for the target's config: pretrain.monitor.predicted = {facts['predicted']}"]


def report(said: Sequence[str]) -> None:
    print("\n".join(said), file=sys.stderr)
