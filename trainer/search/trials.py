"""Trials: ordinary runs of pre-training below RUN/search/trials, several at a time, each brought to a step once for all.

A trial's folder is named by what its weights depend on, so the same trial asked for again is the one that is there: a search
that was killed goes on at the steps that its trials had saved, and one that asks for more steps makes only those.
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
from trainer.config import ParallelConfig, TrainConfig, local_threads
from trainer.launch import environment
from trainer.log import rows
from trainer.rank import REFUSED, STOPPED

_ROOT = Path(__file__).resolve().parents[2]
_LINKED = ("encode", "train_tokenizer")
_SECTIONS = ("seed", "model", "parallel", "pretrain", "grow")


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
        """The step that it has been brought to, 0 if it never ended well."""
        manifest = Run(str(self.folder)).stage("pretrain").manifest()
        return int(manifest["steps"]) if manifest else 0

    @property
    def broke(self) -> int | None:
        """The step at which its loss or gradient norm was no number any more; None where that did not happen."""
        mark = self.folder / "broke.json"
        return int(json.loads(mark.read_text(encoding="utf-8"))["step"]) if mark.exists() else None

    def broke_by(self, step: int) -> int | None:
        """The same, where it happened up to a step."""
        broke = self.broke
        return broke if broke is not None and broke <= step else None

    def rows(self) -> list[Row]:
        """Its log, step by step."""
        log = self.folder / "pretrain/log.jsonl"
        return [Row(row["step"], row["tokens"], row["loss"], row["grad_norm"]) for row in rows(log) if "loss" in row]


def trial(config: TrainConfig, run: Run) -> Trial:
    """The trial of a config on a run's shards. Its schedule ends where the config's run ends, wherever the trial is stopped."""
    config = with_its_end(config)
    settings = {name: value for name, value in plain(config.pretrain).items() if name != "steps"}
    basis = {"model": plain(config.model), "seed": config.seed, "pretrain": settings, "encode": _shards(run)}
    name = hashlib.sha256(json.dumps(basis, sort_keys=True).encode()).hexdigest()[:12]
    folder = Path(local_path(run.stage("search").path("trials", name)))
    return Trial(folder, replace(config, run=str(folder)))


def with_its_end(config: TrainConfig) -> TrainConfig:
    """The config with its schedule's length said, so that the schedule stays where a run of it is stopped early."""
    pretrain = config.pretrain
    if pretrain.schedule.length is not None:
        return config
    tokens = pretrain.sequences_through(pretrain.steps) * config.model.context
    length = tokens if pretrain.schedule.unit == "tokens" else pretrain.steps
    return replace(config, pretrain=replace(pretrain, schedule=replace(pretrain.schedule, length=length)))


def _shards(run: Run) -> str:
    return str(run.stage("encode").require()["fingerprint"])


def bring_to(trials: Sequence[Trial], steps: Sequence[int], run: Run, slots: int) -> None:
    """Brings each trial to its step, `slots` at a time; what has been there already is not run. Raises ConfigError where a
    trial ended otherwise than by breaking."""
    wanted = [(one, step) for one, step in zip(trials, steps, strict=True) if one.broke is None and one.reached < step]
    if not wanted:
        return
    free: Queue[int] = Queue()
    for slot in range(slots):
        free.put(slot)
    failed = threading.Event()

    def work(one: Trial, step: int) -> None:
        slot = free.get()
        try:
            if not failed.is_set():
                _bring(one, step, run, slot, slots)
        except BaseException:
            failed.set()
            raise
        finally:
            free.put(slot)

    with Progress("search", total=len(wanted), unit="trial") as bar, ThreadPoolExecutor(slots) as pool:
        for done in [pool.submit(work, one, step) for one, step in wanted]:
            done.result()
            bar.advance(1)


def _bring(one: Trial, step: int, run: Run, slot: int, slots: int) -> None:
    one = replace(one, config=replace(one.config, parallel=_shared(one.config.parallel, slots)))
    _prepare(one, run)
    with _alone(one.folder) as lock:
        if one.reached >= step:  # another search, left behind by a kill, had it in work
            return
        command = _command(one, step)
        with (one.folder / "output.txt").open("a", encoding="utf-8") as output:
            status = subprocess.run(
                command, env=_environment(one, slot, slots), stdout=output, stderr=output, stdin=subprocess.DEVNULL,
                pass_fds=[lock], check=False,
            ).returncode  # fmt: skip
    if status == STOPPED:
        seen = one.rows()
        write_json(str(one.folder / "broke.json"), {"step": seen[-1].step if seen else 0})
    elif status:
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


def _shared(parallel: ParallelConfig, slots: int) -> ParallelConfig:
    """The layout of a trial that has its share of the host's cores."""
    return replace(parallel, threads=parallel.threads or local_threads(parallel, slots * parallel.world))


def _command(one: Trial, step: int) -> list[str]:
    """One rank is started by itself, several by the launcher."""
    given = ["--config", str(one.folder / "trial.yaml"), f"run={one.folder}", f"pretrain.steps={step}"]
    parallel = one.config.parallel
    if parallel.world == 1 and parallel.hostfile is None:
        return [sys.executable, str(_ROOT / "jobs/pretrain.py"), *given]
    return [sys.executable, "-m", "trainer.launch", *given]


def _environment(one: Trial, slot: int, slots: int) -> dict[str, str]:
    parallel = one.config.parallel
    made = environment(parallel, parallel.world, os.environ)
    if devices := _devices(parallel.device):
        each = parallel.world
        if slots * each > len(devices):
            raise ConfigError(
                f"search.slots = {slots}: {slots} x {each} ranks need more than the {len(devices)} devices here; "
                f"use {max(1, len(devices) // each)}."
            )
        made["CUDA_VISIBLE_DEVICES"] = ",".join(devices[slot * each : (slot + 1) * each])
    return made


def _devices(kind: str) -> list[str]:
    """The GPUs that may be used, by their names for CUDA_VISIBLE_DEVICES."""
    if kind == "cpu":
        return []
    given = os.environ.get("CUDA_VISIBLE_DEVICES")
    if given is not None:
        return [name for name in given.split(",") if name]
    return [str(number) for number in range(len(list(Path("/dev").glob("nvidia[0-9]*"))))]
