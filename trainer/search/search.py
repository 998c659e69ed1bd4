"""The search: trials of all combinations, stopped early at rungs and ranked; the choice in figures; sensitivities."""

from __future__ import annotations

import itertools
import math
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from core import storage
from core.config import ConfigError, plain
from core.run import Run
from trainer.config import TrainConfig
from trainer.search import plot
from trainer.search.combination import Combination
from trainer.search.judge import Outcome, falls_behind, loss_at, ranked, settle
from trainer.search.sensitivity import Sensitivity, probes, sensitivities
from trainer.search.transfer import CHOSEN
from trainer.search.trials import Trial, bring_to, trial


def combinations(config: TrainConfig) -> list[Combination]:
    """What is to be tried, each once: the list, then every combination of the grid; the config's own values fill the rest."""
    center, asked = Combination.of(config), config.search
    grid = (
        [dict(zip(asked.grid, values, strict=True)) for values in itertools.product(*asked.grid.values())] if asked.grid else []
    )
    made = [center.but(entry) for entry in (*asked.list, *grid)]
    if not made:
        raise ConfigError("search.grid and search.list are both empty; give values to try, or a list of combinations.")
    return list(dict.fromkeys(made))


class Search:
    """The trials of one config on one run's shards."""

    def __init__(self, config: TrainConfig, run: Run) -> None:
        self.config, self.run, self.asked = config, run, config.search
        self.steps = config.pretrain.steps
        self.window = max(1, round(self.asked.window * self.steps))
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
            until = self.until[name]
            rows = [row for row in made.rows() if row.step <= until]
            found.append(settle(name, combination, rows, self.steps, made.broke_by(until), self.window, self.asked.weigh))
        return ranked(found)


def search(config: TrainConfig) -> list[str]:
    """Writes RUN/search/: table.json, chosen.json and curves.svg; returns the table for a person."""
    run = Run(config.run)
    run.stage("encode").require()
    run.prepare()
    run.record(plain(config))
    work = Search(config, run)
    work.climb(combinations(config), config.search.early_stop.rungs)
    first = work.outcomes()
    if first[0].status != "finished":
        raise ConfigError(f"search: none of {len(first)} trials ran to its end in a stable way; try lower learning rates.")
    work.climb(probes(first[0].combination, first, config.search.probe))
    outcomes, directory = work.outcomes(), run.stage("search")
    best, sensitive = outcomes[0], sensitivities(work.outcomes())
    table = [_row(one) for one in outcomes]
    storage.write_json(directory.path("table.json"), {"trials": table, "sensitivity": [asdict(one) for one in sensitive]})
    storage.write_json(directory.path(CHOSEN), {"combination": best.combination.values(), "trial": best.name, **_why(best)})
    curves = {one.name: work.tried[one.name][1].rows() for one in outcomes}
    storage.write_text(directory.path("curves.svg"), plot.curves(outcomes, curves, work.window))
    return [*lines(outcomes, sensitive), f"table, choice and curves: {directory.uri}"]


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
    head = (*outcomes[0].combination.values(), "loss", "rate", "trend", "norm", "score", "")
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
        cells.append((*values, *(f"{v:.4f}" for v in (seen.loss, seen.rate, seen.trend, seen.norm, one.score)), end))
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    table = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    said = [
        f"  {one.name:16} " + (f"{one.change:+.4f} ({one.pairs} pairs)" if one.pairs else "no pair of trials says")
        for one in sensitive
    ]
    return [*table, "nats that a doubling adds to the loss, the strongest first:", *said]


def report(said: Sequence[str]) -> None:
    print("\n".join(said), file=sys.stderr)
