"""The search: trials of all combinations, stopped early at rungs and ranked; the choice in figures; sensitivities."""

from __future__ import annotations

import itertools
import math
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from core import storage
from core.config import ConfigError
from core.run import Run
from trainer.config import TrainConfig
from trainer.config.search import SEVEN
from trainer.launch import check_mounted
from trainer.schedule import factor
from trainer.search import plot
from trainer.search.combination import Combination
from trainer.search.judge import Outcome, falls_behind, loss_at, ranked, settle
from trainer.search.sensitivity import Sensitivity, probes, sensitivities
from trainer.search.transfer import CHOSEN, base_width
from trainer.search.trials import Trial, bring_to, position, record, shards, trial


def combinations(config: TrainConfig) -> list[Combination]:
    """What is to be tried, each once: the list, then every combination of the grid; the config's own values fill the rest."""
    center, asked = Combination.of(config), config.search
    grid = (
        [dict(zip(asked.grid, values, strict=True)) for values in itertools.product(*asked.grid.values())] if asked.grid else []
    )
    made = [center.but(entry) for entry in (*asked.list, *grid)]
    if not made:
        raise ConfigError("search.grid and search.list are both empty; give values to try, or a list of combinations.")
    for name in SEVEN:
        if any(one.values()[name] <= 0 for one in made):
            where = "pretrain.schedule.minimum" if name == "min_lr" else name
            raise ConfigError(f"search: {where} must be more than 0; how sensitive the loss is to {name} is told by doublings.")
    return list(dict.fromkeys(made))


class Search:
    """The trials of one config on one run's shards."""

    def __init__(self, config: TrainConfig, run: Run) -> None:
        self.config, self.run, self.asked = config, run, config.search
        self.steps = config.pretrain.steps
        self.window = max(1, min(round(self.asked.window * self.steps), self.steps // 4))
        self.tried: dict[str, tuple[Combination, Trial]] = {}
        self.until: dict[str, int] = {}

    def climb(self, asked: Sequence[Combination], rungs: Sequence[float] = ()) -> None:
        """Brings trials to their end, rung by rung; at each rung those of them that fall behind stay where they are."""
        alive = {}
        for combination in asked:
            made = trial(combination.laid_on(self.config), self.run)
            alive[made.folder.name] = made
            self.tried[made.folder.name] = (combination, made)
        for share in (*rungs, 1.0):
            step = max(1, round(share * self.steps))
            bring_to(list(alive.values()), [step] * len(alive), self.run, self.asked.slots)
            self.until.update({name: step for name in alive})
            whole = {name: one for name, one in alive.items() if one.broke_by(step) is None}
            losses = {name: loss_at(one.rows(), step, self.window) for name, one in whole.items()}
            behind = falls_behind(losses, self.asked.early_stop)
            alive = {name: alive[name] for name in losses if name not in behind}

    def outcomes(self) -> list[Outcome]:
        """All trials so far, best first."""
        found = []
        for name, (combination, made) in self.tried.items():
            rows, broke = made.rows(self.until[name]), made.broke_by(self.until[name])
            found.append(settle(name, combination, rows, self.steps, broke, self.window, self.asked.weigh))
        return ranked(found)


def check(config: TrainConfig) -> list[str]:
    """What the trials' schedule lets no search see; raises ConfigError where it cannot rank them at all."""
    schedule, steps = config.pretrain.schedule, config.pretrain.steps
    first = max(1, round((*config.search.early_stop.rungs, 1.0)[0] * steps))
    if position(config, first) < schedule.warmup:
        raise ConfigError(
            f"search: trials are first compared at step {first} of {steps}, within pretrain.schedule.warmup = "
            f"{schedule.warmup} {schedule.unit}, where none has come to its learning rate yet; shorten the warm-up, or raise "
            "search.early_stop.rungs."
        )
    last = factor(schedule, end := position(config, steps), end)
    if 1.0 - last > 0.5 * (1.0 - schedule.minimum):
        return []
    return [
        f"mind: over a trial the learning rate falls to {last:.6g} of its peak only, so what is said of min_lr is noise; let "
        "pretrain.schedule end with the trial (length: null)."
    ]


def search(config: TrainConfig) -> list[str]:
    """Writes RUN/search/: table.json, chosen.json and curves.svg; returns the table for a person."""
    minded = check(config)
    check_mounted("run", config.run)
    run = Run(config.run)
    encoded = shards(run)
    run.prepare()
    record(config, run)
    work = Search(config, run)
    work.climb(combinations(config), config.search.early_stop.rungs)
    best = work.outcomes()[0]
    if best.status == "finished":
        for times in (config.search.probe, 1.0 / config.search.probe):  # the other way where the first one broke
            work.climb(probes(best.combination, work.outcomes(), times))
    outcomes, directory = work.outcomes(), run.stage("search")
    best, sensitive = outcomes[0], sensitivities(outcomes)
    table = [_row(one) for one in outcomes]
    storage.write_json(directory.path("table.json"), {"trials": table, "sensitivity": [asdict(one) for one in sensitive]})
    curves = {one.name: work.tried[one.name][1].rows(work.until[one.name]) for one in outcomes}
    storage.write_text(directory.path("curves.svg"), plot.curves(outcomes, curves, work.window))
    if best.status != "finished":
        storage.remove(directory.path(CHOSEN))
        raise ConfigError(
            f"search: none of {len(outcomes)} trials ran to its end in a stable way; try lower learning rates. What they did "
            f"is in table.json and curves.svg of {directory.uri}."
        )
    choice = {"combination": best.combination.values(), "base_hidden": base_width(config), "encode": encoded}
    storage.write_json(directory.path(CHOSEN), {**choice, "trial": best.name, **_why(best)})
    return [*lines(outcomes, sensitive), *minded, f"table, choice and curves: {directory.uri}"]


def _row(one: Outcome) -> dict[str, Any]:
    """An outcome as JSON can say it: what is no finite number is null."""
    figures = {name: _number(value) for name, value in asdict(one.figures).items()}
    return {**asdict(one), "combination": one.combination.values(), "figures": figures, "score": _number(one.score)}


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _why(best: Outcome) -> dict[str, Any]:
    return {"figures": asdict(best.figures), "score": best.score}


def lines(outcomes: Sequence[Outcome], sensitive: Sequence[Sensitivity]) -> list[str]:
    """The ranked table and the sensitivities for a person."""
    head = (*outcomes[0].combination.values(), "loss", "rate", "trend", "norm", "spread", "score", "")
    cells = [head]
    for one in outcomes:
        seen = one.figures
        end = (
            "chosen"
            if one is outcomes[0]
            else one.status
            if one.status in ("finished", "unstable")
            else f"{one.status} at {one.step}"
        )
        values = [f"{value:.4g}" for value in one.combination.values().values()]
        measured = (seen.loss, seen.rate, seen.trend, seen.norm, seen.spread, one.score)
        cells.append((*values, *(f"{value:.4f}" for value in measured), end))
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    table = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    said = [
        f"  {one.name:16} " + (f"{one.change:+.4f} ({one.pairs} pairs)" if one.pairs else "no pair of trials says")
        for one in sensitive
    ]
    return [*table, "nats that a doubling adds to the loss, the strongest first:", *said]


def report(said: Sequence[str]) -> None:
    print("\n".join(said), file=sys.stderr)
