"""The network of a Hugging Face directory in our settings, and its tensors by our names; what we have not is refused.

What can be read: Llama's own (Mistral's, without a window), Granite with plain residuals, and Tele-FLM's own (Llama's
names; muP's factors as `use_mup`, `input_mult`, `output_mult`, `mup_scale_factor`). Other networks use Llama's names too
and compute something else, so the kind is asked for by name and every tensor must have its place.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from core.config import ConfigError
from trainer.config import ModelConfig
from trainer.export.forms import canonical_names, foreign_name
from trainer.export.stored import Stored

KINDS = ("llama", "granite", "mistral")
"""Values of `model_type` whose forward pass is ours; Tele-FLM's directories are known by their key `use_mup`."""
_NEEDED = (
    "num_attention_heads", "hidden_size", "num_hidden_layers", "intermediate_size", "vocab_size", "max_position_embeddings",
)  # fmt: skip
_GRANITE, _MUP = ("embedding_multiplier", "logits_scaling"), ("mup_scale_factor",)


@dataclass(frozen=True)
class Source:
    """A directory's network: its settings, and the factors that its forward pass applies to embedding and logits."""

    folder: Path
    model: ModelConfig
    stored: Stored

    def tensor(self, name: str) -> Tensor:
        """A tensor by its canonical name, in fp32; the head of a tied network is its embedding."""
        there = foreign_name("embedding.weight" if name == "head.weight" and self.model.tied else name)
        return self.stored.tensor(there).float()


def open_source(folder: str) -> Source:
    """Reads config.json and the list of tensors. Raises ConfigError where the network is not one that we have."""
    path = Path(folder)
    if not (path / "config.json").exists():
        raise ConfigError(f"{folder}: holds no config.json; give a Hugging Face model's directory.")
    model = model_of(json.loads((path / "config.json").read_text(encoding="utf-8")), folder)
    stored = Stored(path)
    wanted = [foreign_name(name) for name in canonical_names(model)]
    missing = [name for name in wanted if name not in stored.files]
    if missing:
        raise ConfigError(f"{folder}: has no tensor {_and_more(missing)}.")
    idle = {foreign_name("head.weight")} if model.tied else set()
    foreign = sorted(name for name in set(stored.files) - set(wanted) - idle if not name.endswith("rotary_emb.inv_freq"))
    if foreign:
        raise ConfigError(
            f"{folder}: has tensors for which our network has no place: {_and_more(foreign)}; without them it would compute "
            "something else, so this model cannot be brought in."
        )
    return Source(path, model, stored)


def model_of(config: Mapping[str, Any], folder: str) -> ModelConfig:
    """Our settings of the network that a config.json describes."""
    kind, mup = config.get("model_type", "llama"), bool(config.get("use_mup", False))
    if kind not in KINDS and "use_mup" not in config:
        raise ConfigError(f"{folder}: model_type = {kind} cannot be brought in; we have the networks of {', '.join(KINDS)}.")
    granite = kind == "granite"
    needed = [*_NEEDED, *(_GRANITE if granite else ()), *(_MUP if mup else ())]
    if missing := [name for name in needed if name not in config]:
        raise ConfigError(f"{folder}: its config.json lacks {', '.join(missing)}.")
    heads, hidden = int(config["num_attention_heads"]), int(config["hidden_size"])
    rope = config.get("rope_parameters") or {}
    _refuse(
        folder,
        {
            "hidden_act": (config.get("hidden_act", "silu"), "silu"),
            "attention_bias": (bool(config.get("attention_bias", False)), False),
            "mlp_bias": (bool(config.get("mlp_bias", False)), False),
            "rope_scaling": (config.get("rope_scaling"), None),
            "rope_parameters.rope_type": (rope.get("rope_type", "default"), "default"),
            "partial_rotary_factor": (float(config.get("partial_rotary_factor", rope.get("partial_rotary_factor", 1.0))), 1.0),
            "sliding_window": (config.get("sliding_window"), None),
            "residual_multiplier": (float(config.get("residual_multiplier", 1.0)), 1.0),
        },
    )
    size = int(config.get("head_dim") or hidden // heads)
    attention = 1.0 / math.sqrt(size)
    if granite and not math.isclose(config.get("attention_multiplier", 1.0), attention, rel_tol=1e-6):
        raise ConfigError(
            f"{folder}: attention_multiplier = {config.get('attention_multiplier')}, our network has {attention:.6g}."
        )
    narrow = hidden / float(config["mup_scale_factor"]) if mup else 0.0
    output_mult = 1.0 / float(config["logits_scaling"]) if granite else float(config.get("output_mult", 1.0)) if mup else 1.0
    if not narrow.is_integer():  # the factor is of logits alone here, and a width that is no whole number cannot say it
        output_mult, narrow = output_mult / float(config["mup_scale_factor"]), 0.0
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
        output_mult=output_mult,
        base_hidden=int(narrow) or None,
    )


def _refuse(folder: str, settings: Mapping[str, tuple[Any, Any]]) -> None:
    for name, (found, ours) in settings.items():
        if found != ours:
            raise ConfigError(f"{folder}: {name} = {found}, our network has {ours}; this model cannot be brought in.")


def _and_more(names: list[str]) -> str:
    return f"{names[0]}{f' and {len(names) - 1} more' if names[1:] else ''}"
