"""A Hugging Face directory as the checkpoint that a run begins from: the way back from `export`, and in from elsewhere.

What can be read: Llama-shaped models, Granite with plain residuals, and Tele-FLM's own (Llama's names; muP's factors as
`use_mup`, `input_mult`, `output_mult`, `mup_scale_factor`). The run's config says what the network is to be; factors that
one side has as settings and the other folded into its weights are multiplied in or out, so the function stays the same.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor

from core.config import ConfigError, plain
from core.progress import Progress
from core.run import Run
from trainer.checkpoint import MOMENTS, Writer, file_of, steps_in
from trainer.config import ModelConfig, TrainConfig
from trainer.data import Blend, TokenData
from trainer.export.forms import canonical_names, foreign_name, shape_of
from trainer.export.weights import INDEX
from trainer.model.mup import logit_scale
from trainer.monitor import Monitor


@dataclass(frozen=True)
class Source:
    """A directory's network: its settings, and the factors that its forward pass applies to embedding and logits."""

    folder: Path
    model: ModelConfig
    files: Mapping[str, str]
    """The file of each tensor, by its name there."""

    def tensor(self, name: str) -> Tensor:
        """A tensor by its canonical name, in fp32; the head of a tied network is its embedding."""
        there = foreign_name("embedding.weight" if name == "head.weight" and self.model.tied else name)
        with safe_open(self.folder / self.files[there], framework="pt") as handle:
            tensor: Tensor = handle.get_tensor(there)
            return tensor.float()


def open_source(folder: str) -> Source:
    """Reads config.json and the list of tensors. Raises ConfigError where the network is not one that we have."""
    path = Path(folder)
    if not (path / "config.json").exists():
        raise ConfigError(f"{folder}: holds no config.json; give a Hugging Face model's directory.")
    model = model_of(json.loads((path / "config.json").read_text(encoding="utf-8")), folder)
    files = _files(path)
    missing = [name for name in map(foreign_name, canonical_names(model)) if name not in files]
    if missing:
        raise ConfigError(f"{folder}: has no tensor {missing[0]}{f' and {len(missing) - 1} more' if missing[1:] else ''}.")
    return Source(path, model, files)


def model_of(config: Mapping[str, Any], folder: str) -> ModelConfig:
    """Our settings of the network that a config.json describes."""
    heads, hidden = int(config["num_attention_heads"]), int(config["hidden_size"])
    rope = config.get("rope_parameters") or {}
    granite = config.get("model_type") == "granite"
    _refuse(
        folder,
        {
            "hidden_act": (config.get("hidden_act", "silu"), "silu"),
            "attention_bias": (bool(config.get("attention_bias", False)), False),
            "mlp_bias": (bool(config.get("mlp_bias", False)), False),
            "rope_scaling": (config.get("rope_scaling"), None),
            "rope_parameters.rope_type": (rope.get("rope_type", "default"), "default"),
            "residual_multiplier": (float(config.get("residual_multiplier", 1.0)), 1.0),
        },
    )
    size = int(config.get("head_dim") or hidden // heads)
    attention = 1.0 / math.sqrt(size)
    if granite and not math.isclose(config.get("attention_multiplier", 1.0), attention, rel_tol=1e-6):
        raise ConfigError(
            f"{folder}: attention_multiplier = {config.get('attention_multiplier')}, our network has {attention:.6g}."
        )
    mup = bool(config.get("use_mup", False))
    return ModelConfig(
        layers=int(config["num_hidden_layers"]),
        hidden=hidden,
        heads=heads,
        head_size=None if size * heads == hidden else size,
        kv_heads=int(config.get("num_key_value_heads") or heads),
        ffn=int(config["intermediate_size"]),
        vocab=int(config["vocab_size"]),
        vocab_multiple=1,
        context=int(config["max_position_embeddings"]),
        norm_eps=float(config.get("rms_norm_eps", 1e-6)),
        rope_theta=float(rope.get("rope_theta") or config.get("rope_theta") or 1e4),
        tied=bool(config.get("tie_word_embeddings", False)),
        input_mult=float(config["embedding_multiplier"] if granite else config.get("input_mult", 1.0) if mup else 1.0),
        output_mult=1.0 / float(config["logits_scaling"]) if granite else float(config.get("output_mult", 1.0)) if mup else 1.0,
        base_hidden=max(1, round(hidden / float(config["mup_scale_factor"]))) if mup else None,
    )


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
    if ours.tied and ours.input_mult * logit_scale(theirs) != theirs.input_mult * logit_scale(ours):
        wrong.append("model.tied = True, but embedding and head take different factors")
    if wrong:
        raise ConfigError(f"{source.folder}: is another network: {'; '.join(wrong)}.")


def factors(ours: ModelConfig, theirs: ModelConfig) -> dict[str, float]:
    """What embedding and head must be multiplied by for our multipliers to give their function."""
    return {
        "embedding.weight": theirs.input_mult / ours.input_mult,
        "head.weight": logit_scale(theirs) / logit_scale(ours),
    }


def bring_in(config: TrainConfig, folder: str) -> Path:
    """Writes RUN/pretrain/checkpoints/step-00000000, from which `pretrain` goes on, one tensor in memory at a time.

    Adam's moments begin at zero: give the run a short warm-up. The shards must be encoded with the model's tokenizer.
    """
    run, source = Run(config.run), open_source(folder)
    data = TokenData.read(run.stage("encode").uri)
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


def _refuse(folder: str, settings: Mapping[str, tuple[Any, Any]]) -> None:
    for name, (found, ours) in settings.items():
        if found != ours:
            raise ConfigError(f"{folder}: {name} = {found}, our network has {ours}; this model cannot be brought in.")


def _files(path: Path) -> dict[str, str]:
    if (path / INDEX).exists():
        return dict(json.loads((path / INDEX).read_text(encoding="utf-8"))["weight_map"])
    single = path / "model.safetensors"
    if not single.exists():
        raise ConfigError(f"{path}: holds no safetensors; convert other formats with transformers' save_pretrained first.")
    with safe_open(single, framework="pt") as handle:
        return {name: single.name for name in handle.keys()}


def report(path: Path) -> None:
    """Says what was done and how to go on."""
    print(f"import: {path}; `make pretrain` goes on from there.", file=sys.stderr)
