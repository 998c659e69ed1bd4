"""Trials: ordinary runs of pre-training below RUN/search/trials, several at a time, each brought to a step once for all.

A trial's folder is named by what its weights depend on, so the same trial asked for again is the one that is there: a search
that was killed goes on at the steps that its trials had saved. One that asks for more steps makes only those where its schedule
does not end with the trial; where it does, a longer trial is another one.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from queue import Queue

import yaml

from core.config import ConfigError, plain
from core.progress import Progress
from core.run import Run
from core.storage import local_path, write_json, write_text
from trainer import stage
from trainer.checkpoint import steps_in
from trainer.config import TrainConfig
from trainer.config.pretrain import LATER
from trainer.log import rows
from trainer.rank import REFUSED, STOPPED
from trainer.search.slots import Slot, cut

_ROOT = Path(__file__).resolve().parents[2]
_LINKED = ("encode", "train_tokenizer")
LEVERS = ("search", "transfer", "predict")
_SECTIONS = ("seed", "model", "parallel", "pretrain", "grow")
# What a trial's name leaves out. When it is validated stays in it: benchmarks read those rows of its log.
_UNNAMED = {"steps", *LATER} - {"validate_every", "validate_sequences"}


@dataclass(frozen=True)
class Row:
    """One step of a trial's log."""

    step: int
    tokens: int
    loss: float
    norm: float


@dataclass(frozen=True)
class Trial:
    """A training config with its own folder; `steps` is where it ends if nothing stops it."""

    folder: Path
    config: TrainConfig

    @property
    def steps(self) -> int:
        return self.config.pretrain.steps

    @property
    def reached(self) -> int:
        """The step that it has been brought to, 0 if it never ended well.

        A run that goes on removes the manifest of the end before, so that end is noted; where the search was killed beside
        its trial, there is the manifest alone.
        """
        manifest = Run(str(self.folder)).stage("pretrain").manifest()
        return max(self._noted("reached.json") or 0, int(manifest["steps"]) if manifest else 0)

    @property
    def saved(self) -> int:
        """The step of its newest checkpoint, 0 if there is none."""
        return max(steps_in(self.folder / "pretrain" / "checkpoints"), default=0)

    @property
    def broke(self) -> int | None:
        """The step at which its loss or gradient norm was no number any more; None where that did not happen."""
        return self._noted("broke.json")

    def _noted(self, name: str) -> int | None:
        note = self.folder / name
        return int(json.loads(note.read_text(encoding="utf-8"))["step"]) if note.exists() else None

    def broke_by(self, step: int) -> int | None:
        """The same, where it happened up to a step."""
        broke = self.broke
        return broke if broke is not None and broke <= step else None

    def rows(self, until: int | None = None) -> list[Row]:
        """Its log, step by step, up to a step: a trial may have been brought further by another command."""
        log = [row for row in rows(self.folder / "pretrain/log.jsonl") if "loss" in row]
        made = [Row(row["step"], row["tokens"], row["loss"], row["grad_norm"]) for row in log]
        return made if until is None else [row for row in made if row.step <= until]


def record(config: TrainConfig, run: Run) -> None:
    """Writes the settings of a search, a transfer or a prediction down with the run."""
    stage.record(config, run, LEVERS)


def trial(config: TrainConfig, run: Run) -> Trial:
    """The trial of a config on a run's shards. Its schedule ends where the config's run ends, wherever the trial is stopped;
    every step is logged, for it is judged by windows of steps."""
    config = with_its_end(replace(config, pretrain=replace(config.pretrain, log_every=1)))
    settings = {name: value for name, value in plain(config.pretrain).items() if name not in _UNNAMED}
    if config.pretrain.monitor.policy != "log":  # it then leaves out steps, or ends the trial
        settings["monitor"] = plain(config.pretrain.monitor)
    basis = {"model": plain(config.model), "seed": config.seed, "pretrain": settings, "encode": shards(run)}
    name = hashlib.sha256(json.dumps(basis, sort_keys=True).encode()).hexdigest()[:12]
    folder = Path(local_path(run.stage("search").path("trials", name)))
    return Trial(folder, replace(config, run=str(folder)))


def with_its_end(config: TrainConfig) -> TrainConfig:
    """The config with its schedule's length said, so that the schedule stays where a run of it is stopped early."""
    pretrain = config.pretrain
    if pretrain.schedule.length is not None or pretrain.schedule.kind == "constant":
        return config
    schedule = replace(pretrain.schedule, length=position(config, pretrain.steps))
    return replace(config, pretrain=replace(pretrain, schedule=schedule))


def position(config: TrainConfig, step: int) -> int:
    """Where a step ends, in the unit of the config's schedule."""
    pretrain = config.pretrain
    return pretrain.sequences_through(step) * config.model.context if pretrain.schedule.unit == "tokens" else step


def shards(run: Run) -> str:
    """The fingerprint of the shards that a run has now."""
    return str(run.stage("encode").require()["fingerprint"])


def bring_to(trials: Sequence[Trial], steps: Sequence[int], run: Run, slots: int) -> None:
    """Brings each trial to its step, `slots` at a time; what has been there already is not run. Raises ConfigError where a
    trial ended otherwise than by breaking."""
    wanted = [(one, step) for one, step in zip(trials, steps, strict=True) if one.broke is None and one.reached < step]
    if not wanted:
        return
    slots = min(slots, len(wanted))
    places = {layout: cut(layout, slots) for layout in {one.config.parallel for one, _ in wanted}}
    free: Queue[int] = Queue()
    for slot in range(slots):
        free.put(slot)
    failed = threading.Event()

    def work(one: Trial, step: int) -> None:
        slot = free.get()
        try:
            if not failed.is_set():
                _bring(one, step, run, places[one.config.parallel][slot])
        except BaseException:
            failed.set()
            raise
        finally:
            free.put(slot)

    with Progress("search", total=len(wanted), unit="trial") as bar, ThreadPoolExecutor(slots) as pool:
        for done in [pool.submit(work, one, step) for one, step in wanted]:
            done.result()
            bar.advance(1)


def _bring(one: Trial, step: int, run: Run, slot: Slot) -> None:
    one = replace(one, config=replace(one.config, parallel=slot.layout(one.config.parallel)))
    _prepare(one, run)
    with _alone(one.folder) as lock:
        if one.broke is not None or one.reached >= step:  # another search, left behind by a kill, had it in work
            return
        # Killed on its way to a later step it may hold no checkpoint as early as this one: it goes on from there, not from 0.
        step = max(step, one.saved)
        environment = slot.environment(one.config.parallel, os.environ)
        with (one.folder / "output.txt").open("a", encoding="utf-8") as output:
            status = subprocess.run(
                _command(one, step), env=environment, stdout=output, stderr=output, stdin=subprocess.DEVNULL,
                pass_fds=[lock], check=False,
            ).returncode  # fmt: skip
        if status == STOPPED:
            seen = one.rows()
            write_json(str(one.folder / "broke.json"), {"step": seen[-1].step if seen else 0})
        elif not status:
            write_json(str(one.folder / "reached.json"), {"step": step})
    if status not in (0, STOPPED):
        said = (one.folder / "output.txt").read_text(encoding="utf-8").strip().splitlines()
        error = next((line for line in reversed(said) if line.startswith("error")), said[-1] if said else "it said nothing")
        how = "was refused" if status == REFUSED else f"ended with status {status}"
        raise ConfigError(
            f"{one.folder}: this trial {how}: {error.removeprefix('error: ')} The same command goes on from there."
        )


def _prepare(one: Trial, run: Run) -> None:
    """The trial's folder: links to the shards, and its config as it could be run by hand."""
    one.folder.mkdir(parents=True, exist_ok=True)
    for name in _LINKED:
        here, there = one.folder / name, Path(local_path(run.stage(name).uri))
        if there.exists() and not os.path.lexists(here):
            here.symlink_to(os.path.relpath(there.resolve(), here.parent.resolve()), target_is_directory=True)
    settings = plain(one.config)
    text = yaml.safe_dump({name: settings[name] for name in _SECTIONS}, sort_keys=False)
    write_text(str(one.folder / "trial.yaml"), text)


@contextmanager
def _alone(folder: Path) -> Iterator[int]:
    """Waits until no other process trains this trial. Children that hold the yielded file keep the lock when a search is
    killed and they are not."""
    with (folder / "lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield handle.fileno()


def _command(one: Trial, step: int) -> list[str]:
    """One rank is started by itself, several by the launcher."""
    given = ["--config", str(one.folder / "trial.yaml"), f"run={one.folder}", f"pretrain.steps={step}"]
    parallel = one.config.parallel
    if parallel.world == 1 and parallel.hostfile is None:
        return [sys.executable, str(_ROOT / "jobs/pretrain.py"), *given]
    return [sys.executable, "-m", "trainer.launch", *given]
