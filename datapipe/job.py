"""Runs stages of the data line in one Spark session: the part of `spark-submit jobs/<stage>.py` that all jobs share."""

from __future__ import annotations

import importlib
import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from core.config import ConfigError, plain
from core.job import guarded, parser, settings
from core.line import STAGES, Stage, active, fingerprint, outside
from core.run import Run
from datapipe.config import DataConfig
from datapipe.launch import submit
from datapipe.shards import check_conservation

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


PASSES_ON = {entry.reads[0] for entry in STAGES if entry.runner == "spark" and entry.reads} - {"crawl"}
"""The stages whose documents another stage reads."""


def main(name: str, description: str | None) -> None:
    """The entry of a stage's job: runs the stage `name` and, with --through, those after it that are out of date."""
    arguments = parser(description or name, DataConfig, [name, "spark"])
    arguments.add_argument("--through", metavar="STAGE", default=name, help="go on, in the same session, up to this stage")
    parsed = arguments.parse_args()

    def work() -> None:
        config = settings(parsed, DataConfig, "datapipe")
        entries = chain(name, parsed.through, config)
        run = Run(config.run)
        run.prepare()
        run.record(plain(config))
        run_stages(entries, config, run, lambda: session(name, config))

    guarded(work)


def chain(first: str, last: str, config: DataConfig) -> list[Stage]:
    """The Spark stages of a run from one name to another, both included."""
    line = [entry for entry in active(config.corpus) if entry.runner == "spark"]
    names = [entry.name for entry in line]
    if last not in names or names.index(last) < names.index(first):
        raise ConfigError(f"--through {last}: must be one of {', '.join(names[names.index(first) :])}.")
    return line[names.index(first) : names.index(last) + 1]


def run_stages(entries: Sequence[Stage], config: DataConfig, run: Run, session: Callable[[], SparkSession]) -> None:
    """Brings stages up to date, in order; a session is opened only when the first of them is not."""
    for entry in entries:
        directory = run.stage(entry.name)
        upstream = {name: str(run.stage(name).require()["fingerprint"]) for name in entry.reads}
        wanted = fingerprint(entry, plain(config), upstream, outside(getattr(config, entry.name), config))
        if directory.is_done(wanted):
            _say(f"{entry.name}: up to date")
            continue
        opened = session()
        from datapipe.work import Work  # pyspark is not imported while every stage is up to date

        began = time.monotonic()
        directory.begin(wanted, keep=("parts", "looked", "lists"))
        stage = getattr(importlib.import_module(f"datapipe.stages.{entry.name}"), entry.name)
        facts = stage(Work(opened, config, directory, {name: run.stage(name) for name in entry.reads}))
        if entry.name in PASSES_ON:  # whatever a stage does, nothing is passed on that does not add up
            check_conservation(entry.name, facts, run.stage(entry.reads[0]).manifest() if entry.name != "extract" else None)
        directory.commit(wanted, facts, time.monotonic() - began)
        _say(_summary(entry.name, facts, time.monotonic() - began))


def session(name: str, config: DataConfig) -> SparkSession:
    """The Spark session of the job `name`. Where this program was not started by spark-submit, which alone can size the
    driver, it is started again by it, and this process ends with its status."""
    if "PYSPARK_GATEWAY_PORT" not in os.environ:
        sys.exit(submit(name, config.spark, sys.argv[1:]))
    from datapipe.spark import open_session

    return open_session(config.spark, name)


def _summary(name: str, facts: dict[str, Any], seconds: float) -> str:
    if "kept" in facts:
        return f"{name}: {facts['in']} documents in, {facts['kept']} kept, {facts['removed']} removed, {seconds:.1f} s"
    return f"{name}: done, {seconds:.1f} s"


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
