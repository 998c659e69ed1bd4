"""Pre-training: which run this is, whether it goes on or begins anew, and its loop."""

from __future__ import annotations

import hashlib
import json

import torch
import torch.distributed as dist

from core.config import ConfigError, plain
from core.run import Run, StageDirectory
from tokenizer.shards import DamagedShard
from trainer.config import TrainConfig
from trainer.data import TokenData, TokenDataError
from trainer.launch import fingerprint_of
from trainer.loop import Loop
from trainer.parallel.ranks import place

# Settings of `pretrain` that a run may go on with others of: they leave the weights at a step as they are, or (the monitor's
# policy) are there to be changed when something has happened.
_LATER = (
    "validate_every", "validate_sequences", "save_every", "keep", "keep_every", "log_every", "norms_every", "monitor",
    "allow_new_mix",
)  # fmt: skip


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
        run.record(plain(config))
        origin = _data_begun_with(directory, upstream, config.pretrain.allow_new_mix)
        directory.begin(identity(config, origin), set_aside=True, facts={"encode": origin})
    dist.barrier()
    try:
        data = TokenData.read(run.stage("encode").uri)
    except (TokenDataError, DamagedShard) as error:
        raise ConfigError(str(error)) from error
    facts = Loop(config, ranks, data, directory).run()
    if ranks.main:
        directory.commit(finished, facts, facts["seconds"])


def _data_begun_with(directory: StageDirectory, upstream: str, allow_new_mix: bool) -> str:
    """The fingerprint of the shards that this run was begun with, where it is to go on; else that of the present ones.

    A run on the way goes on or is refused for its mix, by name; one that had ended is done again on the new shards, unless
    it is to go on with them.
    """
    began = directory.began()
    goes_on = allow_new_mix or directory.manifest() is None
    return str(began["encode"]) if began is not None and "encode" in began and goes_on else upstream


def identity(config: TrainConfig, upstream: str) -> str:
    """What must be the same for a run to go on from its checkpoints: all that the weights at a given step depend on.

    The stopping point is no part of it where the schedule does not depend on it, so such a run can be made longer.
    """
    settings = {key: value for key, value in plain(config.pretrain).items() if key not in _LATER}
    if config.pretrain.schedule.length is not None or config.pretrain.schedule.kind == "constant":
        del settings["steps"]
    basis = {"model": plain(config.model), "seed": config.seed, "pretrain": settings, "encode": upstream}
    return hashlib.sha256(json.dumps(basis, sort_keys=True).encode()).hexdigest()[:32]
