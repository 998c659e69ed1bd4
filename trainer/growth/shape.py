"""What a network may grow into: every size at least as large, and all else the same."""

from __future__ import annotations

import math

from core.config import ConfigError
from trainer.config import ModelConfig
from trainer.model.mup import logit_scale

_SAME = ("context", "norm_eps", "rope_theta", "tied", "document_mask", "vocab")


def check(small: ModelConfig, grown: ModelConfig) -> None:
    """Raises ConfigError where `grown` could not begin with the function of `small`; the message says what would do."""
    for name in ("layers", "hidden", "heads", "ffn", "rows"):
        before, now = getattr(small, name), getattr(grown, name)
        if now < before:
            raise ConfigError(f"model.{name} = {now} is smaller than the {before} of the network that grows; growth only adds.")
    if small.head_dim != grown.head_dim:
        raise ConfigError(
            f"model.heads = {grown.heads} makes heads of {grown.head_dim}, the network that grows has {small.head_dim}: rotary "
            f"positions would turn; keep hidden / heads, or set model.head_size={small.head_dim}."
        )
    if small.heads * grown.key_heads != grown.heads * small.key_heads:
        raise ConfigError(
            f"model.kv_heads = {grown.key_heads} of {grown.heads} heads: the network that grows has {small.key_heads} of "
            f"{small.heads}, and a head would change its key; use kv_heads = {grown.heads * small.key_heads / small.heads:g}."
        )
    for name in _SAME:
        if getattr(small, name) != getattr(grown, name):
            raise ConfigError(
                f"model.{name} = {getattr(grown, name)}, but {getattr(small, name)} in the network that grows; keep that."
            )
    before, now = small.input_mult / logit_scale(small), grown.input_mult / logit_scale(grown)
    if grown.tied and not math.isclose(before, now, rel_tol=1e-9):
        raise ConfigError(
            f"model.output_mult = {grown.output_mult}: with tied matrices embedding and logits must keep one factor; use "
            f"{grown.input_mult * logit_scale(small) * grown.width_ratio / small.input_mult:g}."
        )
