"""How a stage of the trainer that needs no launcher is run: `python jobs/evaluate.py`, `python jobs/export.py`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from core.config import ConfigError, plain
from core.job import guarded, parser, settings
from core.line import fingerprint, stage
from core.progress import Progress
from core.run import Run
from tokenizer.shards import DamagedShard
from trainer.checkpoint import Checkpoint, CheckpointError, newest
from trainer.config import TrainConfig
from trainer.data.token_data import TokenDataError

Work = Callable[[TrainConfig, Run], dict[str, Any]]
"""Does the stage in RUN/<stage>/ and returns the facts of its manifest."""


def main(name: str, description: str | None, work: Work) -> None:
    """The entry of a job."""
    arguments = parser(description or name, TrainConfig, [name, "model"])
    guarded(lambda: play(name, settings(arguments.parse_args(), TrainConfig, "trainer"), work), resumes=False)


def play(name: str, config: TrainConfig, work: Work) -> None:
    """Runs a stage unless its folder holds already what the settings and the stages before it would give."""
    run = Run(config.run)
    run.prepare()
    record(config, run, [name])
    entry, directory = stage(name), run.stage(name)
    upstream = {other: str(run.stage(other).require()["fingerprint"]) for other in entry.reads}
    wanted = fingerprint(entry, plain(config), upstream)
    if directory.is_done(wanted):
        print(f"{name}: up to date", file=sys.stderr)
        return
    began = time.monotonic()
    directory.begin(wanted)
    try:
        facts = work(config, run)
    except (CheckpointError, TokenDataError, DamagedShard) as error:
        raise ConfigError(str(error)) from error
    directory.commit(wanted, facts, time.monotonic() - began)
    print(f"{name}: done, {time.monotonic() - began:.1f} s", file=sys.stderr)


def record(config: TrainConfig, run: Run, sections: Sequence[str]) -> None:
    """Writes the settings of a command down with the run. Where the run has begun a training, only those of the command's own
    sections: the others stay those that it trains with."""
    settings = plain(config)
    if run.stage("pretrain").began() is not None:
        settings = {name: settings[name] for name in sections}
    run.record(settings)


def made_of(run: Run) -> tuple[str | None, int | None]:
    """(training, step) of the run's export. An export from before manifests said so counts as of the training there is."""
    made = run.stage("export").manifest() or {}
    return made.get("training", run.training()), made.get("step")


def chosen_checkpoint(run: Run, name: str | None, asked_by: str, verify: bool = True) -> Checkpoint:
    """The checkpoint of that name, or the newest whole one, every file compared with its checksum (`verify`: unless whoever
    asks does that).

    Raises ConfigError where there is none, CheckpointError where the one that was named is damaged.
    """
    folder = run.stage("pretrain").path("checkpoints")
    if name is not None:
        named = Checkpoint.open(f"{folder}/{name}")
        if verify:
            _verify(named, asked_by)
        return named
    at_most = None
    while (found := newest(folder, at_most, damaged=lambda line: print(line, file=sys.stderr))) is not None:
        try:
            if verify:
                _verify(found, asked_by)
            return found
        except CheckpointError as error:
            print(f"{error} It is passed over.", file=sys.stderr)
            at_most = found.step - 1
    raise ConfigError(f"{asked_by}: {folder} holds no whole checkpoint; run `make pretrain` on this run first.")


def _verify(checkpoint: Checkpoint, asked_by: str) -> None:
    with Progress(f"{asked_by}: verify", total=len(checkpoint.files), unit="file") as bar:
        for file in checkpoint.files:
            checkpoint.verify(file)
            bar.advance()
