"""From which checkpoint a run goes on, and what the two must have in common for the curve to be one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.config import ConfigError, plain
from trainer import checkpoint as checkpoints
from trainer.checkpoint import Checkpoint
from trainer.config import ModelConfig, TrainConfig
from trainer.growth.record import Growth
from trainer.parallel import states
from trainer.rank import Watchdog

# What a network that has its weights already no longer feels, or feels in training alone.
_UNFELT = ("init_std", "init_std_matrix", "init_bound", "init_seed", "residual_init", "dropout", "vocab_multiple")


def newest_whole(folder: Path, config: TrainConfig, main: bool) -> Checkpoint | None:
    """The newest checkpoint whose files are what was written, the same on every rank; the `main` one names damaged ones and
    sets them aside. Raises ConfigError where a grown run has none."""
    last = config.pretrain.steps
    at_most, say = last, print if main else _say_nothing
    watchdog = Watchdog(60 * config.parallel.timeout_minutes)
    try:
        while (found := checkpoints.newest(folder, at_most, say)) is not None:
            damage = states.damage(found, watchdog.beat)
            if damage is None:
                break
            say(f"{damage} It is passed over.")
            at_most = found.step - 1
    finally:
        watchdog.end()
    if found is None and config.grow.source is not None:
        raise ConfigError(f"{folder}: holds no checkpoint, and grow.source is set; run `make grow` on this run first.")
    if main:
        checkpoints.set_aside(folder, after=found.step if found is not None else -1, upto=last)
    return found


def _say_nothing(message: str) -> None:
    return None


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
    return {name: value for name, value in {**plain(model), **meant}.items() if name not in _UNFELT}


def check_mix(found: Checkpoint, mix: str, config: TrainConfig, folder: Path) -> str:
    """What is to be marked on the curves where the data are others from here on; empty where they are the same.

    Raises ConfigError where they are and `pretrain.allow_new_mix` does not say that it is meant.
    """
    before = found.state["mix"]
    if before == mix:
        return ""
    if not config.pretrain.allow_new_mix:
        raise ConfigError(
            f"{found.path}: was trained on mix {before}, the shards now give {mix}; encode as before, "
            f"set pretrain.allow_new_mix=true if the change is meant, or move {folder} away to begin anew."
        )
    return f"step {found.step}: another mix of data from here ({before} before, {mix} now)"


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
