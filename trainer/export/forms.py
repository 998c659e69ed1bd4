"""Two ways to say our network in the vocabulary of transformers.

    granite   GraniteForCausalLM has the multipliers as settings, so the weights are ours unchanged
    llama     LlamaForCausalLM has none: input_mult goes into the embedding, output_mult / m into the head

Everything else is the same in both: rotary halves, RMSNorm, SwiGLU, untied or tied. Weights are stored [output, input].
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

from core.config import ConfigError
from trainer.checkpoint import Checkpoint
from trainer.config import ModelConfig
from trainer.growth.record import unfinished
from trainer.model.mup import logit_scale

FormName = Literal["granite", "llama"]

_BLOCK = {
    "attention_norm.gain": "input_layernorm.weight",
    "attention.qkv.q": "self_attn.q_proj.weight",
    "attention.qkv.k": "self_attn.k_proj.weight",
    "attention.qkv.v": "self_attn.v_proj.weight",
    "attention.out.weight": "self_attn.o_proj.weight",
    "feed_forward_norm.gain": "post_attention_layernorm.weight",
    "feed_forward.gate_up.gate": "mlp.gate_proj.weight",
    "feed_forward.gate_up.up": "mlp.up_proj.weight",
    "feed_forward.down.weight": "mlp.down_proj.weight",
}
_ENDS = {"embedding.weight": "model.embed_tokens.weight", "norm.gain": "model.norm.weight", "head.weight": "lm_head.weight"}


def canonical_names(model: ModelConfig) -> list[str]:
    """The canonical names of all parameters, in the order of the network."""
    blocks = [f"layers.{index}.{name}" for index in range(model.layers) for name in _BLOCK]
    return ["embedding.weight", *blocks, "norm.gain", *([] if model.tied else ["head.weight"])]


def shape_of(name: str, model: ModelConfig) -> tuple[int, ...]:
    """The shape of a parameter by its canonical name."""
    keys = model.key_heads * model.head_dim
    matrices = {
        "attention.qkv.q": (model.heads_width, model.hidden),
        "attention.qkv.k": (keys, model.hidden),
        "attention.qkv.v": (keys, model.hidden),
        "attention.out.weight": (model.hidden, model.heads_width),
        "feed_forward.gate_up.gate": (model.ffn, model.hidden),
        "feed_forward.gate_up.up": (model.ffn, model.hidden),
        "feed_forward.down.weight": (model.hidden, model.ffn),
    }
    if name.endswith(".gain"):
        return (model.hidden,)
    if name in _ENDS:
        return (model.rows, model.hidden)
    return matrices[name.split(".", 2)[2]]


def foreign_name(name: str) -> str:
    """transformers' name of a parameter, by its canonical one."""
    if name in _ENDS:
        return _ENDS[name]
    _, index, rest = name.split(".", 2)
    return f"model.layers.{index}.{_BLOCK[rest]}"


@dataclass(frozen=True)
class Piece:
    """One tensor of an export: its name there, the canonical tensor it comes from, and the factor that it takes."""

    name: str
    source: str
    factor: float


@dataclass(frozen=True)
class Form:
    """An export's config.json (without data type and token ids) and its tensors, in order."""

    config: dict[str, Any]
    pieces: list[Piece]


def form(name: FormName, model: ModelConfig) -> Form:
    """Our network in the words of `name`."""
    scale = logit_scale(model)
    if name == "granite":
        config = {
            "architectures": ["GraniteForCausalLM"],
            "model_type": "granite",
            "embedding_multiplier": model.input_mult,
            "logits_scaling": 1.0 / scale,
            "residual_multiplier": 1.0,
            "attention_multiplier": 1.0 / math.sqrt(model.head_dim),
        }
        factors, tied = {}, model.tied
    else:
        config = {"architectures": ["LlamaForCausalLM"], "model_type": "llama"}
        factors = {"embedding.weight": model.input_mult, "head.weight": scale}
        tied = model.tied and model.input_mult == scale  # one matrix cannot take two factors
    sources = [(source, source) for source in canonical_names(model)]
    if model.tied and not tied:
        sources.append(("head.weight", "embedding.weight"))
    pieces = [Piece(foreign_name(target), source, factors.get(target, 1.0)) for target, source in sources]
    return Form({**config, **_shared(model), "tie_word_embeddings": tied}, pieces)


def form_of(name: FormName, checkpoint: Checkpoint) -> Form:
    """The form of a checkpoint's network. Raises ConfigError in the midst of growing: no form has a place for masks."""
    if (midst := unfinished(checkpoint)) is not None:
        growth, share = midst
        raise ConfigError(
            f"{checkpoint.path}: is still growing, {share:.0%} of its new parts count, which no exported form can say; "
            f"take step {growth.begun + growth.mask_steps} or a later one."
        )
    return form(name, checkpoint.model)


def _shared(model: ModelConfig) -> dict[str, Any]:
    return {
        "vocab_size": model.rows,
        "hidden_size": model.hidden,
        "intermediate_size": model.ffn,
        "num_hidden_layers": model.layers,
        "num_attention_heads": model.heads,
        "num_key_value_heads": model.key_heads,
        "head_dim": model.head_dim,
        "hidden_act": "silu",
        "max_position_embeddings": model.context,
        "rms_norm_eps": model.norm_eps,
        "rope_theta": model.rope_theta,  # where transformers 4 looks
        "rope_parameters": {"rope_type": "default", "rope_theta": model.rope_theta},
        "attention_bias": False,
        "attention_dropout": 0.0,
        "mlp_bias": False,
        "initializer_range": model.init_std,
    }
