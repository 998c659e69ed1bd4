"""Growth itself, offline: a consolidated checkpoint of one run becomes the checkpoint that another run goes on from."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

from core.config import ConfigError, plain
from core.hashing import key
from core.run import Run
from core.storage import local_path
from tokenizer.shards import DamagedShard
from trainer.checkpoint import Checkpoint, CheckpointError, Writer, newest, steps_in
from trainer.config import ModelConfig, TrainConfig
from trainer.data import Blend, TokenData
from trainer.data.blend import segments
from trainer.data.token_data import TokenDataError
from trainer.growth import shape
from trainer.growth.blocks import Placed, arrange, distances
from trainer.growth.files import processes, verify, write
from trainer.growth.record import KEY, Growth, unfinished
from trainer.growth.tensors import Grown
from trainer.launch import check_mounted
from trainer.resume import check_mix, read_on
from trainer.stage import chosen_checkpoint

_LINKED = ("encode", "train_tokenizer")
_NO_MATTER = ("path", "source", "checkpoint", "workers")
_OF_THE_SOURCE = ("files", "format", "schedule_end", "training_tokens", "given")  # what its run counted and had


def grow(config: TrainConfig) -> Path:
    """Writes RUN/pretrain/checkpoints/step-N from the source's step N, `grow.workers` files in memory at a time; `pretrain`
    goes on there.

    A run without shards of its own gets links to the source's. Training goes on at the next sequence, whatever the batch was
    before. Raises ConfigError where the network could not be gone on from, where the target's data are another mix, or where
    a file of the source is missing or damaged.
    """
    try:
        return _grow(config)
    except (CheckpointError, TokenDataError, DamagedShard) as error:
        raise ConfigError(str(error)) from error


def _grow(config: TrainConfig) -> Path:
    if config.grow.source is None:
        raise ConfigError("grow.source is not set; give the run whose network is to grow, as grow.source=runs/small.")
    check_mounted("run", config.run)
    check_mounted("grow.source", config.grow.source)
    run, source = Run(config.run), Run(config.grow.source)
    run.prepare()
    run.record(plain(config))
    checkpoint = chosen_checkpoint(source, config.grow.checkpoint, "grow", verify=False)  # by its processes, below
    model = _model(config, checkpoint)
    shape.check(checkpoint.model, model)
    if config.pretrain.steps <= checkpoint.step:
        raise ConfigError(f"pretrain.steps = {config.pretrain.steps}: the source has made {checkpoint.step} already; set more.")
    folder = Path(local_path(run.stage("pretrain").path("checkpoints")))
    origin = origin_of(config, model, checkpoint)
    if (there := _already(folder, origin)) is not None:
        return there
    _link(source, run)
    data = TokenData.read(run.stage("encode").uri)
    check_mix(checkpoint, Blend(data, model.context, config.seed).hash, config)
    with processes(config.grow.workers) as each:
        verify(checkpoint, each)
        grown, state = _prepared(config, checkpoint, model, data, origin)
        return write(Writer(folder, checkpoint.step), grown, state, origin, each)


def _prepared(
    config: TrainConfig, checkpoint: Checkpoint, model: ModelConfig, data: TokenData, origin: str
) -> tuple[Grown, dict[str, Any]]:
    """What the grown checkpoint's tensors and its state are to be."""
    blocks, small = choose(config, checkpoint, model, data), checkpoint.model
    growth = Growth(
        begun=checkpoint.step,
        mask_steps=config.grow.mask_steps,
        warmup=config.grow.warmup,
        hidden=small.hidden,
        heads=small.heads,
        ffn=small.ffn,
        new_layers=tuple(number for number, placed in enumerate(blocks) if placed.new),
        origin=origin,
    )
    # Another seed than at the beginning: new weights would else repeat the numbers that the old ones began with.
    seed = config.seed if model.init_seed is None else model.init_seed
    grown = Grown(small, model, blocks, checkpoint.tensor, key(seed, "growth", checkpoint.step))
    kept = {name: value for name, value in checkpoint.state.items() if name not in _OF_THE_SOURCE}
    own = {"model": plain(model), "seed": config.seed, "restarts": -1, "training_seconds": 0.0, KEY: asdict(growth)}
    return grown, {**kept, **own}


def choose(config: TrainConfig, checkpoint: Checkpoint, model: ModelConfig, data: TokenData) -> list[Placed]:
    """The blocks of the grown network; their distances are measured on the sequences that training reads next."""
    before = checkpoint.model.layers
    if config.grow.layers != "distance" or model.layers == before:
        return arrange(config.grow.layers, before, model.layers, [0.0] * before)
    blend = Blend(data, model.context, config.seed)
    read_on(blend, checkpoint)
    tokens, _ = blend.sequences(int(checkpoint.state["sequences"]), config.grow.sequences)
    inputs = tokens[:, :-1]
    numbers = torch.from_numpy(segments(inputs, data.eos)).t() if model.document_mask else None
    measured = distances(checkpoint, torch.from_numpy(inputs).t().contiguous(), numbers)
    _say("each block moves its input by " + ", ".join(f"{value:.2f}" for value in measured))
    return arrange("distance", before, model.layers, measured)


def origin_of(config: TrainConfig, model: ModelConfig, checkpoint: Checkpoint) -> str:
    """Names what is grown and how: growth asked for a second time is not done again."""
    files = {name: facts["sha256"] for name, facts in checkpoint.state["files"].items()}
    asked = {name: value for name, value in plain(config.grow).items() if name not in _NO_MATTER}
    basis = {"files": files, "model": plain(model), "grow": asked, "seed": config.seed}
    return hashlib.sha256(json.dumps(basis, sort_keys=True).encode()).hexdigest()[:16]


def _model(config: TrainConfig, checkpoint: Checkpoint) -> ModelConfig:
    if (midst := unfinished(checkpoint)) is not None:
        growth, share = midst
        raise ConfigError(
            f"{checkpoint.path}: is itself still growing, its masks are at {share:.0%}; train it to step "
            f"{growth.begun + growth.mask_steps} first."
        )
    model = config.model
    return model if model.vocab is not None else replace(model, vocab=checkpoint.model.vocab)


def _already(folder: Path, origin: str) -> Path | None:
    """The checkpoint that this growth has written before; refuses a folder that holds another run's."""
    if not steps_in(folder):
        return None
    found = newest(folder, damaged=_say)
    growth = Growth.of(found.state) if found is not None else None
    if found is None or growth is None or growth.origin != origin:
        raise ConfigError(f"{folder}: holds another run's checkpoints; grow into a new run, or move that folder away.")
    _say("grow: up to date")
    return found.path


def _link(source: Run, run: Run) -> None:
    for name in _LINKED:
        here, there = Path(local_path(run.stage(name).uri)), Path(local_path(source.stage(name).uri))
        if there.exists() and not os.path.lexists(here):
            here.symlink_to(os.path.relpath(there.resolve(), here.parent.resolve()), target_is_directory=True)


def _say(line: str) -> None:
    print(line, file=sys.stderr)


def report(path: Path) -> None:
    """Says what was done and how to go on."""
    checkpoint = Checkpoint.open(path)
    growth = Growth.of(checkpoint.state)
    assert growth is not None
    model = checkpoint.model
    _say(
        f"grow: {path}: hidden {growth.hidden} -> {model.hidden}, heads {growth.heads} -> {model.heads}, ffn {growth.ffn} -> "
        f"{model.ffn}, layers {model.layers - len(growth.new_layers)} -> {model.layers}; `make pretrain` goes on from there."
    )
