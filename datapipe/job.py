"""Runs stages of the data line in one Spark session: the part of `spark-submit jobs/<stage>.py` that all jobs share."""

from __future__ import annotations

import importlib
import sys
import time

from core.config import ConfigError, plain
from core.job import guarded, parser, settings
from core.line import Stage, active, fingerprint, outside
from core.run import Run
from datapipe.config import DataConfig


def main(name: str, description: str | None) -> None:
    """The entry of a stage's job: runs the stage `name` and, with --through, those after it that are out of date."""
    arguments = parser(description or name, DataConfig, [name, "spark"])
    arguments.add_argument("--through", metavar="STAGE", default=name, help="go on, in the same session, up to this stage")
    guarded(lambda: _run(name, arguments.parse_args()))


def _run(first: str, arguments: object) -> None:
    config: DataConfig = settings(arguments, DataConfig, "datapipe")  # type: ignore[arg-type]
    names = _chain(first, arguments.through, config)  # type: ignore[attr-defined]
    run = Run(config.run)
    run.prepare()
    run.record(plain(config))
    session = None
    for entry in names:
        directory = run.stage(entry.name)
        upstream = {name: str(run.stage(name).require()["fingerprint"]) for name in entry.reads}
        wanted = fingerprint(entry, plain(config), upstream, outside(getattr(config, entry.name), config))
        if directory.is_done(wanted):
            print(f"{entry.name}: up to date", file=sys.stderr)
            continue
        if session is None:
            from datapipe.spark import open_session  # a run that is up to date needs no JVM

            session = open_session(config.spark, first)
        from datapipe.work import Work

        began = time.monotonic()
        directory.begin(wanted, keep=("parts",))
        stage = getattr(importlib.import_module(f"datapipe.stages.{entry.name}"), entry.name)
        facts = stage(Work(session, config, directory, {name: run.stage(name) for name in entry.reads}))
        directory.commit(wanted, facts, time.monotonic() - began)
        print(_summary(entry.name, facts, time.monotonic() - began), file=sys.stderr)
    if session is not None:
        session.stop()


def _chain(first: str, last: str, config: DataConfig) -> list[Stage]:
    line = [entry for entry in active(config.corpus) if entry.runner == "spark"]
    names = [entry.name for entry in line]
    if last not in names or names.index(last) < names.index(first):
        raise ConfigError(f"--through {last}: must be one of {', '.join(names[names.index(first) :])}.")
    return line[names.index(first) : names.index(last) + 1]


def _summary(name: str, facts: dict[str, object], seconds: float) -> str:
    if "kept" in facts:
        return f"{name}: {facts['in']} documents in, {facts['kept']} kept, {facts['removed']} removed, {seconds:.1f} s"
    return f"{name}: done, {seconds:.1f} s"
