"""The network's settings."""

from __future__ import annotations

from dataclasses import dataclass

from core.config import ConfigError, setting
from trainer.config.checks import at_least, divisors, within


@dataclass(frozen=True)
class ModelConfig:
    """The network (report, section 3.1 and Table 2) and its initialisation (Table 4)."""

    layers: int = setting(4, "transformer blocks")
    hidden: int = setting(128, "width of the residual stream")
    heads: int = setting(4, "attention heads; the report keeps hidden / heads = 128 at every width")
    head_size: int | None = setting(None, "width of one head; null is hidden / heads. Growing width or heads alone needs it")
    kv_heads: int | None = setting(None, "key and value heads; fewer than heads is grouped-query attention; null is heads")
    ffn: int = setting(344, "width of the SwiGLU feed-forward; the report takes 8/3 hidden, rounded to a multiple of 64")
    vocab: int | None = setting(None, "tokens of the tokenizer; null takes it from the encoded shards")
    vocab_multiple: int = setting(
        128, "embedding rows are padded to a multiple of this, so that tensor ranks and kernels divide them"
    )
    context: int = setting(4096, "tokens a sequence")
    norm_eps: float = setting(1e-5, "epsilon inside RMSNorm")
    rope_theta: float = setting(1e4, "base of the rotary frequencies")
    tied: bool = setting(False, "one matrix for embedding and head (TeleChat 7B); the report keeps two")
    input_mult: float = setting(1.0, "the embedding's output is multiplied by this (Table 4)")
    output_mult: float = setting(1.0, "the logits are multiplied by this, beside muP's own 1/m (Table 4)")
    base_hidden: int | None = setting(
        None, "muP: the width at which the hyper-parameters were found; m = hidden / base_hidden; null is m = 1"
    )
    init_std: float = setting(0.02, "truncated-normal std of vector-like parameters (embedding, head)")
    init_std_matrix: float = setting(0.02, "the same of matrix-like ones, before muP's 1/sqrt(m)")
    init_bound: float = setting(3.0, "draws lie within this many std; the report does not print its own bound")
    init_seed: int | None = setting(None, "first weights are drawn from this; null is the run's seed, which also orders data")
    residual_init: bool = setting(
        False, "an extra 1/sqrt(2 layers) on the two projections that end in the residual stream; unpublished, off"
    )
    dropout: float = setting(0.0, "dropout on both residual branches; the report trains without")
    document_mask: bool = setting(False, "attention stops at document boundaries inside a packed sequence")

    def __post_init__(self) -> None:
        for name in ("layers", "hidden", "heads", "ffn", "context", "vocab_multiple"):
            at_least(name, getattr(self, name), 1)
        if self.vocab is not None:
            at_least("vocab", self.vocab, 1)
        if self.head_size is not None:
            at_least("head_size", self.head_size, 1)
        elif self.hidden % self.heads:
            raise ConfigError(f"heads = {self.heads} does not divide hidden = {self.hidden}; use {divisors(self.hidden)}.")
        if self.head_dim % 2:
            raise ConfigError(
                f"heads = {self.heads} gives a head of {self.head_dim}, but rotary embedding turns pairs; make it even."
            )
        if self.kv_heads is not None and (self.kv_heads < 1 or self.heads % self.kv_heads):
            raise ConfigError(f"kv_heads = {self.kv_heads} does not divide heads = {self.heads}; use {divisors(self.heads)}.")
        if self.base_hidden is not None:
            at_least("base_hidden", self.base_hidden, 1)
        within("dropout", self.dropout, 0.0, 0.9)
        within("init_bound", self.init_bound, 1.0, 100.0)

    @property
    def head_dim(self) -> int:
        return self.hidden // self.heads if self.head_size is None else self.head_size

    @property
    def heads_width(self) -> int:
        """Width of all heads together: the hidden size, unless `head_size` says otherwise."""
        return self.heads * self.head_dim

    @property
    def key_heads(self) -> int:
        return self.heads if self.kv_heads is None else self.kv_heads

    @property
    def rows(self) -> int:
        """Rows of the embedding: the vocabulary, padded."""
        if self.vocab is None:
            raise ConfigError("model.vocab is not set and no encoded shards give it; set it to the tokenizer's size.")
        return -(-self.vocab // self.vocab_multiple) * self.vocab_multiple

    @property
    def width_ratio(self) -> float:
        """muP's m."""
        return 1.0 if self.base_hidden is None else self.hidden / self.base_hidden
