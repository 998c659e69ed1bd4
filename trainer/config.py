"""Every setting of the trainer, typed, with its default and its reason.

The defaults are small enough for a laptop; the report's own models stand in `configs/models/`. Checks that need one
section stand in that section, checks across sections in `TrainConfig`; both run before any process group starts.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Literal

from core.config import ConfigError, setting
from trainer.evaluate.config import EvaluateConfig
from trainer.export.config import ExportConfig


def divisors(number: int) -> str:
    """The divisors of a number, as the tail of an error message: '1, 2, 4 or 8'."""
    found = [str(d) for d in range(1, number + 1) if number % d == 0]
    shown = found if len(found) <= 8 else [*found[:7], found[-1]]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} or {shown[-1]}"


def at_least(name: str, value: float, least: float) -> None:
    """Refuses a value below `least`, naming the key."""
    if value < least:
        raise ConfigError(f"{name} = {value} is too small; use {least} or more.")


def within(name: str, value: float, low: float, high: float) -> None:
    """Refuses a value outside [low, high], naming the key."""
    if not low <= value <= high:
        raise ConfigError(f"{name} = {value} is out of range; use a value from {low} to {high}.")


@dataclass(frozen=True)
class ModelConfig:
    """The network (report, section 3.1 and Table 2) and its initialisation (Table 4)."""

    layers: int = setting(4, "transformer blocks")
    hidden: int = setting(128, "width of the residual stream")
    heads: int = setting(4, "attention heads; the report keeps hidden / heads = 128 at every width")
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
        if self.hidden % self.heads:
            raise ConfigError(f"heads = {self.heads} does not divide hidden = {self.hidden}; use {divisors(self.hidden)}.")
        if self.head_dim % 2:
            raise ConfigError(
                f"heads = {self.heads} gives a head of {self.head_dim}, but rotary embedding turns pairs; "
                "make hidden / heads even."
            )
        if self.kv_heads is not None and (self.kv_heads < 1 or self.heads % self.kv_heads):
            raise ConfigError(f"kv_heads = {self.kv_heads} does not divide heads = {self.heads}; use {divisors(self.heads)}.")
        if self.base_hidden is not None:
            at_least("base_hidden", self.base_hidden, 1)
        within("dropout", self.dropout, 0.0, 0.9)
        within("init_bound", self.init_bound, 1.0, 100.0)

    @property
    def head_dim(self) -> int:
        return self.hidden // self.heads

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


@dataclass(frozen=True)
class ParallelConfig:
    """How the work is laid out over processes; none of it changes what is computed."""

    tensor: int = setting(1, "ranks that share each matrix; keep them within one node")
    pipeline: int = setting(1, "stages that share the layers")
    data: int = setting(1, "copies of tensor x pipeline ranks, each with its own sequences")
    sequence: bool = setting(False, "Megatron sequence parallelism: between matrices the tensor ranks share the sequence")
    micro_batch: int = setting(1, "sequences of one forward pass; the rest of a rank's share is accumulated")
    zero: int = setting(1, "ZeRO stage; only 1 (optimizer states shared among the data ranks)")
    recompute: Literal["none", "selective", "full"] = setting(
        "none", "activations made anew in the backward pass: none, the element-wise ones, or whole blocks"
    )
    device: Literal["auto", "cpu", "cuda"] = setting(
        "auto", "where ranks compute; auto takes CUDA where there is a device for every local rank"
    )
    threads: int | None = setting(None, "CPU threads a rank; null shares the host's cores among its ranks")
    hostfile: str | None = setting(None, "lines of `host slots=N`, one a node; null starts all ranks on this host")
    restarts: int = setting(0, "how often a run whose ranks died is started again, from its newest whole checkpoint")
    timeout_minutes: float = setting(10.0, "a collective that waits this long ends the run")

    def __post_init__(self) -> None:
        for name in ("tensor", "pipeline", "data", "micro_batch"):
            at_least(name, getattr(self, name), 1)
        if self.zero in (2, 3):
            raise ConfigError(
                f"zero = {self.zero} shards gradients or weights inside a step, which a pipeline's accumulated micro-batches "
                "cannot use; use zero = 1 and more tensor or pipeline ranks, which shard both."
            )
        if self.zero != 1:
            raise ConfigError(f"zero = {self.zero} gives a wrong gradient norm with a pipeline; use 1.")
        if self.threads is not None:
            at_least("threads", self.threads, 1)
        at_least("restarts", self.restarts, 0)

    @property
    def world(self) -> int:
        return self.tensor * self.pipeline * self.data


@dataclass(frozen=True)
class OptimizerConfig:
    """AdamW with two groups, vector-like and matrix-like (Table 4)."""

    lr: float = setting(1e-3, "peak learning rate of vector-like parameters (embedding, head, norm gains)")
    lr_matrix: float = setting(1e-3, "the same of matrix-like ones at m = 1; muP divides it by m")
    beta1: float = setting(0.9, "Adam's first moment decay")
    beta2: float = setting(0.95, "Adam's second moment decay")
    eps: float = setting(1e-8, "Adam's epsilon")
    weight_decay: float = setting(0.0, "weight decay of matrix-like parameters; Table 4 prints 0")
    weight_decay_vector: float = setting(0.0, "weight decay of vector-like parameters")
    weight_decay_form: Literal["decoupled", "scaled"] = setting(
        "decoupled",
        "decoupled: lr x decay, which falls with 1/m in a muP matrix group; scaled: decay x m there, so that it does not",
    )
    clip: float = setting(1.0, "global gradient norm above which gradients are scaled down; 0 is off")

    def __post_init__(self) -> None:
        for name in ("lr", "lr_matrix", "weight_decay", "weight_decay_vector", "clip"):
            at_least(name, getattr(self, name), 0.0)
        for name in ("beta1", "beta2"):
            within(name, getattr(self, name), 0.0, 0.99999)


@dataclass(frozen=True)
class ScheduleConfig:
    """A factor on each group's own learning rate (report: cosine to 0.1, over 2.5T tokens, stopped at 2T)."""

    kind: Literal["cosine", "linear", "constant", "wsd"] = setting(
        "cosine", "the shape after warm-up; wsd is warm-up, stable, decay"
    )
    unit: Literal["steps", "tokens"] = setting("steps", "what the lengths below count")
    warmup: int = setting(0, "length of the linear warm-up")
    length: int | None = setting(
        None, "where the schedule reaches its minimum, apart from where the run stops; null is the run's end"
    )
    minimum: float = setting(0.1, "the last factor")
    decay: int = setting(0, "wsd only: length of the fall at the end")

    def __post_init__(self) -> None:
        at_least("warmup", self.warmup, 0)
        within("minimum", self.minimum, 0.0, 1.0)
        if self.length is not None and self.length <= self.warmup:
            raise ConfigError(
                f"length = {self.length} is not beyond warmup = {self.warmup}; the schedule counts from 0 and holds both."
            )
        if self.kind == "wsd" and self.decay < 1:
            raise ConfigError(
                f"decay = {self.decay}: warm-up-stable-decay needs the length of its fall; use about a tenth of the run."
            )


@dataclass(frozen=True)
class MonitorConfig:
    """What is watched while the run goes on (report, section 5: what its loss and gradient norm taught)."""

    window: int = setting(64, "steps over which the usual loss and gradient norm are measured")
    spike: float = setting(6.0, "a value this many standard deviations above the window's mean is a spike")
    trend: float = setting(
        0.5, "an alarm: the gradient norm's median over the last window rose by this share over the window before"
    )
    policy: Literal["log", "stop"] = setting(
        "log", "what a spike in both loss and gradient norm does; in the loss alone it is let be"
    )
    predicted: list[list[float]] = setting(
        [], "a predicted curve, [[tokens, loss], ...]; between its points straight in log tokens"
    )
    interval: float = setting(0.05, "nats by which the window's mean loss may lie above the prediction before an alarm")

    def __post_init__(self) -> None:
        at_least("window", self.window, 8)
        tokens = [point[0] for point in self.predicted]
        if any(len(point) != 2 for point in self.predicted) or tokens != sorted(set(tokens)) or (tokens and tokens[0] < 1):
            raise ConfigError(f"predicted = {self.predicted} must be pairs [tokens, loss] with rising tokens, from 1 on.")


@dataclass(frozen=True)
class PretrainConfig:
    """The pre-training loop: what is computed, apart from how it is laid out."""

    steps: int = setting(200, "optimizer steps after which the run stops")
    batch: int = setting(8, "sequences a step, over all ranks")
    ramp: list[list[int]] = setting(
        [], "smaller batches at first: [[100, 256], [300, 512]] is 256 to step 100, 512 to step 300"
    )
    precision: Literal["fp32", "bf16"] = setting(
        "fp32", "arithmetic of the network; masters, moments and accumulated gradients are always fp32"
    )
    optimizer: OptimizerConfig = setting(OptimizerConfig)
    schedule: ScheduleConfig = setting(ScheduleConfig)
    monitor: MonitorConfig = setting(MonitorConfig)
    validate_every: int = setting(100, "steps between validation losses by domain; 0 is never (the last step always)")
    validate_sequences: int = setting(16, "validation sequences a domain; 0 is all of them")
    save_every: int = setting(100, "steps between checkpoints; 0 is only the last")
    keep: int = setting(2, "newest checkpoints that stay")
    keep_every: int = setting(0, "checkpoints at multiples of this many steps stay for ever; 0 is none")
    log_every: int = setting(1, "steps between lines of the training log")
    allow_new_mix: bool = setting(False, "go on from a checkpoint that was trained on another mix of data; marked in the log")

    def __post_init__(self) -> None:
        for name in ("steps", "batch", "keep", "log_every"):
            at_least(name, getattr(self, name), 1)
        for name in ("validate_every", "validate_sequences", "save_every", "keep_every"):
            at_least(name, getattr(self, name), 0)
        if any(len(pair) != 2 or pair[0] < 1 for pair in self.ramp) or self.ramp != sorted(self.ramp):
            raise ConfigError(f"ramp = {self.ramp} must be pairs [last step, sequences] with rising steps.")

    def batch_at(self, step: int) -> int:
        """Sequences of a step, counted from 1."""
        return next((batch for last, batch in self.ramp if step <= last), self.batch)

    def sequences_through(self, step: int) -> int:
        """Sequences of all steps up to and with this one: a function of the step alone, so a restart knows its place."""
        total = done = 0
        for last, batch in self.ramp:
            upto = min(step, last)
            total, done = total + max(0, upto - done) * batch, max(done, upto)
        return total + max(0, step - done) * self.batch


@dataclass(frozen=True)
class PlanConfig:
    """What `make plan` is asked about."""

    tokens: float = setting(2e12, "token budget")
    gpu_memory: float = setting(80.0, "memory of one device, GB (10^9 bytes)")
    gpu_peak: float = setting(312.0, "dense bf16 peak of one device, TFLOP/s")
    mfu: float = setting(0.437, "share of the peak that is reached, by 6N FLOPs a token")

    def __post_init__(self) -> None:
        within("mfu", self.mfu, 0.001, 1.0)


@dataclass(frozen=True)
class TrainConfig:
    """The trainer's share of a run's YAML."""

    run: str = setting("", "the run's directory")
    seed: int = setting(1, "every random draw follows from this and from names, never from a rank")
    model: ModelConfig = setting(ModelConfig)
    parallel: ParallelConfig = setting(ParallelConfig)
    pretrain: PretrainConfig = setting(PretrainConfig)
    evaluate: EvaluateConfig = setting(EvaluateConfig)
    export: ExportConfig = setting(ExportConfig)
    plan: PlanConfig = setting(PlanConfig)

    def __post_init__(self) -> None:
        model, parallel, pretrain = self.model, self.parallel, self.pretrain
        tensor = parallel.tensor
        for name, value in (("heads", model.heads), ("kv_heads", model.key_heads), ("ffn", model.ffn)):
            if value % tensor:
                raise ConfigError(f"parallel.tensor = {tensor} does not divide model.{name} = {value}; use {divisors(value)}.")
        if model.vocab is not None and model.rows % tensor:
            raise ConfigError(
                f"parallel.tensor = {tensor} does not divide the padded vocabulary of {model.rows}; "
                f"make model.vocab_multiple a multiple of {tensor}."
            )
        if parallel.sequence and model.context % tensor:
            raise ConfigError(
                f"parallel.tensor = {tensor} does not divide model.context = {model.context}, "
                f"which parallel.sequence shares; use {divisors(model.context)}."
            )
        if parallel.pipeline > model.layers:
            raise ConfigError(
                f"parallel.pipeline = {parallel.pipeline} leaves stages without a block, "
                f"model.layers = {model.layers}; use {model.layers} or fewer."
            )
        share = parallel.data * parallel.micro_batch
        named = [("batch", pretrain.batch), *((f"ramp: {batch}", batch) for _, batch in pretrain.ramp)]
        for name, batch in named:
            if batch % share:
                near = sorted({max(1, batch // share) * share, (batch // share + 1) * share})
                raise ConfigError(
                    f"pretrain.{name} = {batch} is no multiple of parallel.data x parallel.micro_batch = {share}; "
                    f"use {' or '.join(map(str, near))}."
                )

    @property
    def accumulation(self) -> int:
        """Micro-batches that each rank accumulates in a step."""
        return self.pretrain.batch // (self.parallel.data * self.parallel.micro_batch)

    @property
    def tokens_per_step(self) -> int:
        return self.pretrain.batch * self.model.context


def local_threads(parallel: ParallelConfig, local_ranks: int) -> int:
    """CPU threads for each of `local_ranks` ranks of one host."""
    return parallel.threads or max(1, (os.cpu_count() or 1) // max(1, local_ranks))
