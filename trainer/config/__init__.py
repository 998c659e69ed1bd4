"""Every setting of the trainer, typed, with its default and its reason; one class a section.

The defaults are small enough for a laptop; the report's own models stand in `configs/models/`. Checks that need one
section stand in that section, checks across sections in `TrainConfig`; both run before any process group starts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from core.config import ConfigError, setting
from trainer.config.checks import divisors
from trainer.config.grow import GrowConfig
from trainer.config.model import ModelConfig
from trainer.config.optimizer import MonitorConfig, OptimizerConfig, ScheduleConfig
from trainer.config.parallel import ParallelConfig, PlanConfig, local_threads
from trainer.config.pretrain import PretrainConfig
from trainer.config.search import PredictConfig, SearchConfig, TransferConfig
from trainer.evaluate.benchmarks.config import BenchmarkConfig
from trainer.evaluate.config import EvaluateConfig
from trainer.export.config import ExportConfig

__all__ = [
    "GrowConfig",
    "ModelConfig",
    "MonitorConfig",
    "OptimizerConfig",
    "ParallelConfig",
    "PlanConfig",
    "PredictConfig",
    "PretrainConfig",
    "ScheduleConfig",
    "SearchConfig",
    "TrainConfig",
    "TransferConfig",
    "local_threads",
]


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
    benchmark: BenchmarkConfig = setting(BenchmarkConfig)
    search: SearchConfig = setting(SearchConfig)
    transfer: TransferConfig = setting(TransferConfig)
    predict: PredictConfig = setting(PredictConfig)
    grow: GrowConfig = setting(GrowConfig)
    plan: PlanConfig = setting(PlanConfig)

    def __post_init__(self) -> None:
        # From here on a batch is a number of sequences, whatever the file counts it in.
        object.__setattr__(self, "pretrain", self.pretrain.in_sequences(self.model.context))
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
        if pretrain.schedule.length is None:
            end, called = pretrain.steps, f"pretrain.steps = {pretrain.steps}"
            if pretrain.schedule.unit == "tokens":
                end = pretrain.sequences_through(pretrain.steps) * model.context
                called = f"the {end} tokens of {called}"
            pretrain.schedule.fits(end, called, "pretrain.schedule.")
        share = parallel.data * parallel.micro_batch
        named = [("batch", pretrain.batch), *((f"ramp: {batch}", batch) for _, batch in pretrain.ramp)]
        for name, batch in named:
            if batch % share:
                near = sorted({max(1, batch // share) * share, (batch // share + 1) * share})
                raise ConfigError(
                    f"pretrain.{name} = {batch} is no multiple of parallel.data x parallel.micro_batch = {share}; "
                    f"use {' or '.join(map(str, near))}."
                )

    def for_tokenizer(self, vocabulary: int) -> TrainConfig:
        """The same with the tokenizer's vocabulary where none is given. Raises ConfigError where its tokens find no place."""
        if self.model.vocab is None:
            return replace(self, model=replace(self.model, vocab=vocabulary))
        if self.model.rows < vocabulary:
            raise ConfigError(
                f"model.vocab = {self.model.vocab} is smaller than the tokenizer's {vocabulary}; leave it null to take that."
            )
        return self

    @property
    def accumulation(self) -> int:
        """Micro-batches that each rank accumulates in a step."""
        return self.pretrain.batch // (self.parallel.data * self.parallel.micro_batch)

    @property
    def tokens_per_step(self) -> int:
        return self.pretrain.batch * self.model.context
