"""What the benchmarks of search, prediction and growth share: small models trained on a run's shards, each once for all.

Every training is a trial below RUN/search/trials: a benchmark that was stopped goes on, and two that need the same training
share it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.config import load
from core.line import foreign
from core.run import Run
from trainer.config import TrainConfig
from trainer.search.combination import Combination
from trainer.search.judge import loss_at
from trainer.search.trials import Trial, bring_to, trial

ROOT = Path(__file__).resolve().parents[1]
CONFIG = ROOT / "configs/search/small.yaml"


def arguments(name: str, about: str | None, steps: int) -> argparse.ArgumentParser:
    """The arguments that all have; what follows is settings of configs/search/small.yaml."""
    asked = argparse.ArgumentParser(prog=name, description=about)
    asked.add_argument("--run", help="a run whose stage `encode` is done, for example runs/demo")
    asked.add_argument("--steps", type=int, default=steps, help="steps of each training")
    asked.add_argument("--slots", type=int, default=1, help="trainings at a time")
    asked.add_argument("--corpus", help="not used: shards come from --run")
    asked.add_argument("settings", nargs="*", metavar="key=value", help="settings of the trainings, as model.layers=2")
    return asked


def base(given: argparse.Namespace, *own: str) -> tuple[TrainConfig, Run]:
    """The config of all trainings, and the run with their shards; `own`: settings of the benchmark, below those of the user."""
    if not given.run:
        raise SystemExit("error: give a run with token shards, --run runs/demo; `make encode` (or `make demo`) makes one.")
    run = Run(given.run)
    run.stage("encode").require()
    return load(CONFIG, [*own, *given.settings, f"pretrain.steps={given.steps}"], TrainConfig, foreign("trainer")), run


def scaled(config: TrainConfig, factor: float) -> TrainConfig:
    """Both learning rates times a factor, their minimum with them."""
    here = Combination.of(config)
    return here.but({"lr": here.lr * factor, "lr_matrix": here.lr_matrix * factor}).laid_on(config)


def trained(configs: Sequence[TrainConfig], run: Run, slots: int) -> list[Trial]:
    """The trainings, done."""
    made = [trial(config, run) for config in configs]
    bring_to(made, [one.steps for one in made], run, slots)
    return made


def last_loss(one: Trial) -> float:
    """Nats a token over the last twentieth of its steps; infinite where it broke."""
    return float("inf") if one.broke is not None else loss_at(one.rows(), one.steps, max(1, one.steps // 20))


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def result(name: str, value: float, unit: str, reference: str, reference_value: float) -> dict[str, Any]:
    ratio = value / reference_value if reference_value else float("nan")
    return {
        "name": name, "value": round(value, 5), "unit": unit, "reference": reference,
        "reference_value": round(reference_value, 5), "ratio": round(ratio, 5),
    }  # fmt: skip
