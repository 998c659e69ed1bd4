"""From which checkpoint a run goes on, and what the two must have in common for the curve to be one."""

from __future__ import annotations

import socket
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch.distributed as dist

from core.config import ConfigError, plain
from trainer import checkpoint as checkpoints
from trainer.checkpoint import Checkpoint, CheckpointError
from trainer.config import ModelConfig, TrainConfig
from trainer.data import Blend
from trainer.growth.record import Growth
from trainer.parallel import states
from trainer.parallel.agree import first_finding, from_rank_0
from trainer.rank import Watchdog

T = TypeVar("T")
READ = "read"
"""Where a checkpoint's state has the windows read of each domain, by name."""
# What a network that has its weights already no longer feels, or feels in training alone.
_UNFELT = ("init_std", "init_std_matrix", "init_bound", "init_seed", "residual_init", "dropout", "vocab_multiple")
# NFS may show a folder as it was for as long as a minute, unless it is mounted otherwise.
_SECONDS_TO_SEE, _SECONDS_BETWEEN_LOOKS = 60.0, 1.0


def newest_whole(folder: Path, config: TrainConfig, main: bool) -> Checkpoint | None:
    """The newest checkpoint whose files are what was written, the same on every rank: rank 0, the `main` one, chooses it, names
    damaged ones and sets them aside.

    Raises ConfigError, on all ranks alike, where one does not see what rank 0 sees, where checkpoints are there but none is
    whole (a run that began anew there would forget all that was trained), or where a grown run has none.
    """
    last = config.pretrain.steps
    at_most, say = last, print if main else _say_nothing
    watchdog = Watchdog(60 * config.parallel.timeout_minutes)
    seconds = min(_SECONDS_TO_SEE, 30 * config.parallel.timeout_minutes)  # before the watchdogs of those who wait
    try:
        _see_one_folder(folder.parent, main, seconds, watchdog.beat)
        while (found := _chosen(folder, at_most, main, seconds, watchdog.beat)) is not None:
            damage = states.damage(found, watchdog.beat)
            if damage is None:
                break
            say(f"{damage} It is passed over.")
            at_most = found.step - 1
    finally:
        watchdog.end()
    kept = from_rank_0(checkpoints.kept_in(folder) if main and found is None else [])
    if kept:
        raise ConfigError(
            f"{folder}: none of the checkpoints there is whole ({', '.join(kept)}); mend one, or move {folder.parent} away to "
            "begin anew."
        )
    if found is None and config.grow.source is not None:
        raise ConfigError(f"{folder}: holds no checkpoint, and grow.source is set; run `make grow` on this run first.")
    if main and found is not None:
        checkpoints.set_aside(folder, after=found.step, upto=last)
    return found


def _say_nothing(message: str) -> None:
    return None


def _see_one_folder(folder: Path, main: bool, seconds: float, beat: Callable[[str], None]) -> None:
    """Raises ConfigError where a rank does not see what rank 0 writes: it would fail at the first checkpoint."""
    mark = folder / f".seen-{uuid.uuid4().hex}"
    if main:
        mark.touch()
    mark = folder / from_rank_0(mark.name)
    try:
        _on_every_rank(mark.stat, folder, seconds, beat)
    finally:
        if main:
            mark.unlink()


def _chosen(folder: Path, at_most: int, main: bool, seconds: float, beat: Callable[[str], None]) -> Checkpoint | None:
    """The newest checkpoint that rank 0 sees. The others open that very one: what their node lists may be older."""
    found = checkpoints.newest(folder, at_most) if main else None
    choice = from_rank_0((found.path.name, found.state["sha256"]) if found is not None else None)
    if choice is None:
        return None
    name, written = choice

    def look() -> Checkpoint:
        seen = Checkpoint.open(folder / name)
        if seen.state["sha256"] != written:
            raise CheckpointError(f"{seen.path}: is another than rank 0 has opened")
        return seen

    return _on_every_rank(look, folder, seconds, beat)


def _on_every_rank(look: Callable[[], T], folder: Path, seconds: float, beat: Callable[[str], None]) -> T:
    """What `look` finds, tried again for so many seconds. Raises ConfigError on all ranks where one has not found it then."""
    until = time.monotonic() + seconds
    while True:
        try:
            seen, wrong = look(), None
        except (OSError, CheckpointError) as error:
            rank = f"rank {dist.get_rank()} on {socket.gethostname()}"
            wrong = f"{folder}: {rank} does not see what rank 0 sees there ({error})"
        if wrong is None or time.monotonic() > until:
            break
        beat(f"looking in {folder} for what rank 0 sees there")
        time.sleep(_SECONDS_BETWEEN_LOOKS)
    if (wrong := first_finding(wrong)) is not None:
        raise ConfigError(f"{wrong}; it must be mounted on every node, as one and the same folder.")
    return seen


def check_network(found: Checkpoint, model: ModelConfig) -> None:
    """Raises ConfigError where the weights would compute another function under `model` than where they were written.

    Settings of one run cannot differ; those of a grown or imported run's first start may be others than its checkpoint's.
    """
    before, now = _felt(found.model), _felt(model)
    other = [f"model.{name} = {now[name]}, there {before[name]}" for name in now if now[name] != before[name]]
    if other:
        raise ConfigError(f"{found.path}: is of another network: {'; '.join(other)}; give the run the checkpoint's own model.")


def _felt(model: ModelConfig) -> dict[str, Any]:
    """The settings that the network's function depends on, those left null as what they stand for."""
    meant = {"head_size": model.head_dim, "kv_heads": model.key_heads, "base_hidden": model.base_hidden or model.hidden}
    meant["rows (vocab, padded by vocab_multiple)"] = model.rows
    return {name: value for name, value in {**plain(model), **meant}.items() if name not in _UNFELT}


def check_mix(found: Checkpoint, mix: str, config: TrainConfig, folder: Path | None = None) -> str:
    """What is to be marked on the curves where the data are others from here on; empty where they are the same.

    Raises ConfigError where they are and `pretrain.allow_new_mix` does not say that it is meant. `folder`: what could be moved
    away to begin anew.
    """
    before = found.state["mix"]
    if before == mix:
        return ""
    if not config.pretrain.allow_new_mix:
        seed = found.state["seed"]
        ways = [
            f"set seed={seed} as before" if config.seed != seed else "encode as before",
            "set pretrain.allow_new_mix=true if the change is meant",
            *([f"move {folder} away to begin anew"] if folder is not None else []),
        ]
        raise ConfigError(
            f"{found.path}: was trained on mix {before}, the shards and the seed now give {mix}; "
            f"{', '.join(ways[:-1])} or {ways[-1]}."
        )
    said = f"step {found.step}: another mix of data from here ({before} before, {mix} now)"
    if READ not in found.state and found.state["sequences"]:  # of an earlier version
        said += "; how far each domain was read is not known, so some text is passed over or read twice"
    return said


def read_on(blend: Blend, found: Checkpoint) -> None:
    """Has the blend go on behind what a checkpoint's run has read of each domain. Earlier versions did not note it: theirs go
    on as if all before had come from the present mix."""
    if READ in found.state:
        blend.go_on(int(found.state["sequences"]), found.state[READ])


def is_first(state: Mapping[str, Any]) -> bool:
    """Whether a checkpoint was given to its run, grown or imported, and nothing has trained on it there."""
    return int(state["restarts"]) < 0


def given(folder: Path) -> Checkpoint | None:
    """The newest checkpoint of a folder if its run began from one that training could not make again; else None."""
    found = checkpoints.newest(folder, damaged=lambda line: None)
    if found is None:
        return None
    state = found.state
    return found if is_first(state) or state.get("given") or Growth.of(state) is not None else None
