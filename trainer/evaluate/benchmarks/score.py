"""A model's scores on the benchmarks of a folder: how many items were asked and what guessing would score beside each."""

from __future__ import annotations

import importlib.util
import logging
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from core import storage
from core.config import ConfigError
from trainer.evaluate.benchmarks.code import check_sandbox, ends_well
from trainer.evaluate.benchmarks.config import BenchmarkConfig
from trainer.evaluate.benchmarks.files import Folder
from trainer.evaluate.benchmarks.item import NAMES, Benchmark, Loaded
from trainer.evaluate.benchmarks.prompts import Prompter, answer_room, draw
from trainer.evaluate.benchmarks.sets import BENCHMARKS


@dataclass(frozen=True)
class Score:
    """One benchmark's score, its standard error and the chance level, in percent.

    items of `of` were asked; shots: asked for, and the mean that fitted into the context; cut: items that are longer than
    the context without any shot, so that the model never saw them whole; seconds: wall time of this benchmark.
    """

    title: str
    table: str
    metric: str
    score: float
    error: float
    chance: float
    items: int
    of: int
    shots: int
    fitted: float
    cut: int
    how: str
    seconds: float


def check_folder(config: BenchmarkConfig) -> None:
    """Raises ConfigError where the folder is not given, lacks a benchmark that is to be scored or holds one that cannot be
    read, and where programs are to be run and cannot be: what costs seconds here would end hours of scoring later."""
    _quieten()
    if not config.folder:
        raise ConfigError("benchmark.folder: where are the benchmarks' files? Give BENCHMARKS=dir, or benchmark.folder=dir.")
    missing = [name for name in config.names if not storage.listing(storage.join(config.folder, name))]
    if missing:
        raise ConfigError(
            f"benchmark.folder = {config.folder}: has no files for {', '.join(missing)}; put each set into a folder of its "
            f"name, or say which to score, benchmark.names=[{', '.join(n for n in config.names if n not in missing)}]."
        )
    asked = [one for name in config.names if (one := BENCHMARKS[name]).metric != "pass" or config.code.run]
    if any(benchmark.metric == "pass" for benchmark in asked):
        check_sandbox(config.code)
    for benchmark in asked:
        load(benchmark, config.folder)


def score(reader: Any, config: BenchmarkConfig, seed: int, names: Sequence[str] | None = None) -> dict[str, Score]:
    """The score of each benchmark by name, in the order of the report's tables; HumanEval only where programs may run.

    `reader` is the model under the harness's interface. What can be refused, `check_folder` refuses before there is one.
    """
    _quieten()
    from trainer.evaluate.benchmarks.task import LocalTask, evaluated, mean

    found: dict[str, Score] = {}
    wanted = config.names if names is None else names
    for benchmark in (BENCHMARKS[name] for name in BENCHMARKS if name in wanted):
        if benchmark.metric == "pass" and not config.code.run:
            print(f"{benchmark.title}: left out; benchmark.code.run=true runs its programs in a sandbox.", file=sys.stderr)
            continue
        began = time.monotonic()
        loaded = load(benchmark, config.folder)
        shots = config.shots.get(benchmark.name, benchmark.shots)
        draws = f"{seed} {benchmark.name}"
        length = lambda text: len(reader.encode(text))  # noqa: E731
        prompter = Prompter(benchmark, loaded, shots, draws, length, reader.context)
        asked = [prompter.ask(item) for item in draw(loaded.items, config.limit_of(benchmark.name), draws)]
        task = LocalTask(benchmark, asked, config.code, partial(ends_well, limits=config.code))
        reader.label = benchmark.title
        evaluated(reader, {benchmark.name: task}, seed)
        level, error, chance = mean(benchmark, task.values)
        found[benchmark.name] = Score(
            title=benchmark.title,
            table=benchmark.table,
            metric=NAMES[benchmark.metric].replace("@k", f"@{config.code.k} of {config.code.samples} samples"),
            score=100 * level,
            error=100 * error,
            chance=100 * chance,
            items=len(asked),
            of=len(loaded.items),
            shots=shots,
            fitted=sum(one.shots for one in asked) / len(asked),
            cut=sum(one.cut for one in asked),
            how=_how(benchmark, reader.context),
            seconds=round(time.monotonic() - began, 2),
        )
    return found


def _how(benchmark: Benchmark, context: int) -> str:
    """The benchmark's own sentence, and how long answers could be where the context left less than they may have."""
    room = answer_room(benchmark.tokens, context)
    return (
        f"{benchmark.how}; answers of at most {room} tokens, not {benchmark.tokens}"
        if room < benchmark.tokens
        else benchmark.how
    )


def load(benchmark: Benchmark, folder: str) -> Loaded:
    """The items of a benchmark. Raises ConfigError where its files are of another layout, or hold no item."""
    where = storage.join(folder, benchmark.name)
    try:
        loaded = benchmark.load(Folder(where))
    except (KeyError, IndexError, TypeError, ValueError) as error:
        if isinstance(error, ConfigError):
            raise
        raise ConfigError(
            f"{where}: {type(error).__name__} {error}; {benchmark.title} is read as: {benchmark.load.__doc__}"
        ) from error
    if not loaded.items:
        raise ConfigError(f"{where}: holds no item of {benchmark.title}.")
    return loaded


def _quieten() -> None:
    """The harness must reach for nothing outside, and its notes on its own progress are not for our users."""
    os.environ.update(HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1", TRANSFORMERS_OFFLINE="1", HF_HUB_DISABLE_TELEMETRY="1")
    if importlib.util.find_spec("lm_eval") is None:
        raise ConfigError("benchmark: lm-evaluation-harness is missing; pip install -c constraints.txt -e '.[benchmark]'.")
    logging.getLogger("lm_eval").setLevel(logging.ERROR)
