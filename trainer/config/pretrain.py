"""The pre-training loop's settings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from core.config import ConfigError, setting
from trainer.config.checks import at_least
from trainer.config.optimizer import MonitorConfig, OptimizerConfig, ScheduleConfig

# Settings that a run may go on with others of: they leave the weights at a step as they are, or (the monitor's policy) are
# there to be changed when something has happened.
LATER = (
    "validate_every", "validate_sequences", "save_every", "keep", "keep_every", "log_every", "norms_every", "monitor",
    "allow_new_mix",
)  # fmt: skip


@dataclass(frozen=True)
class PretrainConfig:
    """The pre-training loop: what is computed, apart from how it is laid out."""

    steps: int = setting(200, "optimizer steps after which the run stops")
    batch: int = setting(8, "size of a step, over all ranks")
    ramp: list[list[int]] = setting(
        [], "smaller batches at first: [[100, 256], [300, 512]] is 256 to step 100, 512 to step 300"
    )
    batch_unit: Literal["sequences", "tokens"] = setting(
        "sequences", "what `batch` and the sizes in `ramp` count; tokens are turned into sequences of model.context at once"
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
    norms_every: int = setting(50, "steps between norms of weights and of their update by group; 0 is never")
    allow_new_mix: bool = setting(False, "go on from a checkpoint that was trained on another mix of data; marked in the log")

    def __post_init__(self) -> None:
        for name in ("steps", "batch", "keep", "log_every"):
            at_least(name, getattr(self, name), 1)
        for name in ("validate_every", "validate_sequences", "save_every", "keep_every", "norms_every"):
            at_least(name, getattr(self, name), 0)
        if any(len(pair) != 2 or min(pair) < 1 for pair in self.ramp) or self.ramp != sorted(self.ramp):
            raise ConfigError(f"ramp = {self.ramp} must be pairs [last step, size] of 1 or more, with rising steps.")

    def in_sequences(self, context: int) -> PretrainConfig:
        """The same with sizes in sequences. Raises ConfigError where tokens do not make whole ones."""
        if self.batch_unit == "sequences":
            return self
        for name, tokens in [("batch", self.batch), *((f"ramp: {size}", size) for _, size in self.ramp)]:
            if tokens % context:
                near = sorted({max(1, tokens // context) * context, (tokens // context + 1) * context})
                raise ConfigError(
                    f"pretrain.{name} = {tokens} tokens is no multiple of model.context = {context}; "
                    f"use {' or '.join(map(str, near))}."
                )
        ramp = [[last, size // context] for last, size in self.ramp]
        return replace(self, batch=self.batch // context, ramp=ramp, batch_unit="sequences")

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
