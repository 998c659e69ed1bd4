"""Pre-training: which run this is, whether it goes on or begins anew, and its loop."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist

from core import storage
from core.config import ConfigError, plain
from core.run import Run, StageDirectory
from core.storage import local_path
from tokenizer.shards import DamagedShard
from trainer.checkpoint import folder_name, steps_in
from trainer.config import TrainConfig
from trainer.config.pretrain import LATER
from trainer.data import TokenData, TokenDataError
from trainer.launch import fingerprint_of
from trainer.loop import Loop
from trainer.parallel.ranks import place
from trainer.resume import given, is_first

# These may change while the run is on its way: it goes on at the next sequence.
_BATCH = ("batch", "ramp", "batch_unit")


def pretrain(config: TrainConfig, device: torch.device) -> None:
    """Trains from the newest checkpoint (or from the beginning) to `pretrain.steps`; every rank calls this."""
    run = Run(config.run)
    directory = run.stage("pretrain")
    upstream = run.stage("encode").require()["fingerprint"]
    finished = fingerprint_of(config)
    if directory.is_done(finished):
        return
    ranks = place(config.parallel, device)
    if ranks.main:
        begin(directory, config, upstream)
        run.record(plain(config))
    dist.barrier()
    try:
        data = TokenData.read(run.stage("encode").uri)
    except (TokenDataError, DamagedShard) as error:
        raise ConfigError(str(error)) from error
    facts = Loop(config, ranks, data, directory).run()
    if ranks.main:
        directory.commit(finished, facts, facts["seconds"])


def begin(directory: StageDirectory, config: TrainConfig, upstream: str) -> None:
    """Makes the folder ready, and says in a sentence where a changed setting makes the run begin anew.

    Raises ConfigError where that would leave behind a checkpoint that training could not make again, and where a run that goes
    on is to end before its newest checkpoint.
    """
    began = directory.began()
    basis = weights_depend_on(config, _data_begun_with(directory, upstream, config.pretrain.allow_new_mix))
    basis["pretrain"] |= _batch_begun_with(directory, config)
    wanted = hashlib.sha256(json.dumps(basis, sort_keys=True).encode()).hexdigest()[:32]
    changed, saved = "", Path(local_path(directory.path("checkpoints")))
    goes_on = began is None or began["fingerprint"] == wanted
    if began is not None and not goes_on:
        changed = _changed(began.get("settings"), basis)
        checkpoint = given(saved)
        if checkpoint is not None and not is_first(checkpoint.state):
            raise ConfigError(
                f"{checkpoint.path}: comes from a network that was grown or imported into this run, which would begin without "
                f"it, for {changed}; take the change back, or grow or import into a new run."
            )
        if checkpoint is not None:
            storage.remove(directory.path("began.json"))  # nothing has trained on it: what begins anew begins there
            goes_on = True
    if goes_on and (reached := max(steps_in(saved), default=0)) > config.pretrain.steps:
        raise ConfigError(
            f"pretrain.steps = {config.pretrain.steps} lies before {saved / folder_name(reached)}, and what was trained since "
            f"would be lost; set pretrain.steps to {reached} or more, or move {directory.uri} away to begin anew."
        )
    aside = directory.begin(wanted, set_aside=True, facts={"encode": basis["encode"], "settings": basis})
    if aside is not None:
        print(f"pretrain: begins anew, for {changed}; what was there is set aside as {aside}.", flush=True)


def _data_begun_with(directory: StageDirectory, upstream: str, allow_new_mix: bool) -> str:
    """The fingerprint of the shards that this run was begun with, where it is to go on; else that of the present ones.

    A run on the way goes on or is refused for its mix, by name; one that had ended is done again on the new shards, unless
    it is to go on with them.
    """
    began = directory.began()
    goes_on = allow_new_mix or directory.manifest() is None
    return str(began["encode"]) if began is not None and "encode" in began and goes_on else upstream


def _batch_begun_with(directory: StageDirectory, config: TrainConfig) -> dict[str, Any]:
    """The same of the batch and its ramp: a run on the way goes on with others. One that had ended goes on where it is to
    become longer, or where nothing about the batch has changed since; else it is done again."""
    began, manifest = directory.began(), directory.manifest()
    present = {name: plain(config.pretrain)[name] for name in _BATCH}
    if began is None or "settings" not in began:
        return present
    ended = manifest is not None and config.pretrain.steps <= manifest["steps"] and manifest["batch"] != present
    return present if ended else {name: began["settings"]["pretrain"][name] for name in _BATCH}


def weights_depend_on(config: TrainConfig, upstream: str) -> dict[str, Any]:
    """What must be the same for a run to go on from its checkpoints: all that the weights at a given step depend on, save
    the batch, which may change on the way.

    The stopping point is no part of it where the schedule does not depend on it, so such a run can be made longer.
    """
    settings = {key: value for key, value in plain(config.pretrain).items() if key not in LATER}
    if config.pretrain.schedule.length is not None or config.pretrain.schedule.kind == "constant":
        del settings["steps"]
    return {"model": plain(config.model), "seed": config.seed, "pretrain": settings, "encode": upstream}


def _changed(before: Mapping[str, Any] | None, now: Mapping[str, Any]) -> str:
    """The settings that differ, in words."""
    if before is None:
        return "settings that the weights depend on have changed"
    old, new = dict(_flat(before)), dict(_flat(now))
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    said = [f"{name} = {new.get(name)}, before {old.get(name)}" for name in names if name != "encode"]
    return "; ".join([*said, *["the shards are others"] * ("encode" in names)])


def _flat(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
