"""A Hugging Face directory as the checkpoint that a run begins from: the way back from `export`, and in from elsewhere.

`source` says what can be read. The run's config says what the network is to be; factors that one side has as settings and
the other folded into its weights are multiplied in or out, so the function stays the same.
"""

from __future__ import annotations

import math
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor

from core.config import ConfigError, plain
from core.progress import Progress
from core.run import Run
from tokenizer.shards import DamagedShard
from trainer.checkpoint import MOMENTS, Writer, file_of, steps_in
from trainer.config import ModelConfig, TrainConfig
from trainer.data import Blend, TokenData, TokenDataError
from trainer.export.forms import canonical_names, foreign_name, shape_of
from trainer.export.source import Source, open_source
from trainer.model.mup import logit_scale
from trainer.monitor import Monitor


def agree(ours: ModelConfig, source: Source) -> None:
    """Raises ConfigError where the run's network is another one than the directory's."""
    theirs = source.model
    wrong = [
        f"model.{name} = {getattr(ours, name)}, there {getattr(theirs, name)}"
        for name in ("layers", "hidden", "heads", "head_dim", "key_heads", "ffn", "rows", "norm_eps", "rope_theta")
        if getattr(ours, name) != getattr(theirs, name)
    ]
    if ours.tied and not theirs.tied:
        wrong.append("model.tied = True, there embedding and head are two")
    both = factors(ours, theirs)
    # An export holds 1 / scale, whose inverse is the scale save for the last digit.
    if ours.tied and not math.isclose(both["embedding.weight"], both["head.weight"], rel_tol=1e-9):
        wrong.append("model.tied = True, but embedding and head take different factors")
    if wrong:
        raise ConfigError(f"{source.folder}: is another network: {'; '.join(wrong)}.")


def same_tokens(data: TokenData, folder: Path) -> None:
    """Raises ConfigError where the shards are in other tokens than the directory's tokenizer.json has."""
    theirs = folder / "tokenizer.json"
    if not (theirs.exists() and Path(data.tokenizer).exists()):
        return
    ours, there = (_tokenizer(Path(path)).get_vocab() for path in (data.tokenizer, theirs))
    other = sorted(set(ours.items()) ^ set(there.items()), key=lambda entry: entry[1])
    if other:
        text, number = other[0]
        raise ConfigError(
            f"{theirs}: is not the tokenizer of {data.folder}, id {number} ({text!r}) is in one of them only; encode with "
            f"train_tokenizer.path={theirs} first."
        )


def _tokenizer(path: Path) -> Tokenizer:
    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # the library has no type of its own
        raise ConfigError(f"{path}: is no tokenizer that can be read ({error}); fetch it again (git lfs pull).") from error


def factors(ours: ModelConfig, theirs: ModelConfig) -> dict[str, float]:
    """What embedding and head must be multiplied by for our multipliers to give their function."""
    return {
        "embedding.weight": theirs.input_mult / ours.input_mult,
        "head.weight": logit_scale(theirs) / logit_scale(ours),
    }


def bring_in(config: TrainConfig, folder: str) -> Path:
    """Writes RUN/pretrain/checkpoints/step-00000000, from which `pretrain` goes on, one block in memory at a time.

    Adam's moments begin at zero: give the run a short warm-up. The shards must be encoded with the model's tokenizer, which
    is checked where both are at hand. Raises ConfigError.
    """
    try:
        return _bring_in(config, folder)
    except (TokenDataError, DamagedShard) as error:
        raise ConfigError(str(error)) from error


def _bring_in(config: TrainConfig, folder: str) -> Path:
    run, source = Run(config.run), open_source(folder)
    data = TokenData.read(run.stage("encode").uri)
    same_tokens(data, source.folder)
    model = config.model if config.model.vocab is not None else replace(config.model, vocab=data.vocabulary)
    agree(model, source)
    checkpoints = run.stage("pretrain").path("checkpoints")
    if steps_in(checkpoints):
        raise ConfigError(f"{checkpoints}: this run has been trained already; bring the model into a new run.")
    factor = factors(model, source.model)
    names = canonical_names(model)
    writer = Writer(checkpoints, 0)
    writer.prepare()
    written: dict[str, Any] = {}
    parts: dict[str, list[str]] = {}
    for name in names:
        parts.setdefault(file_of(name), []).append(name)
    with Progress("import", total=len(names), unit="tensor") as bar:
        for file, members in parts.items():
            held: dict[str, Tensor] = {}
            for name in members:
                tensor = source.tensor(name) * factor.get(name, 1.0)
                if tuple(tensor.shape) != shape_of(name, model):
                    raise ConfigError(
                        f"{folder}: {foreign_name(name)} is {tuple(tensor.shape)}, the network has {shape_of(name, model)}."
                    )
                held[name] = tensor
                held.update({f"{name}.{moment}": torch.zeros_like(tensor) for moment in MOMENTS})
            written[file] = writer.write(file, held)
            bar.advance(len(members))
    return writer.commit(_state(config, model, data), written)


def _state(config: TrainConfig, model: ModelConfig, data: TokenData) -> dict[str, Any]:
    return {
        "step": 0,
        "sequences": 0,
        "tokens": 0,
        "seed": config.seed,
        "model": plain(model),
        "mix": Blend(data, model.context, config.seed).hash,
        "monitor": Monitor(config.pretrain.monitor).state(),
        "training_seconds": 0.0,
        "restarts": -1,  # the first start is none
        "last_loss": float("nan"),
        "adam_step": 0,
    }


def report(path: Path) -> None:
    """Says what was done and how to go on."""
    print(f"import: {path}; `make pretrain` goes on from there.", file=sys.stderr)
