"""The one training engine: a step on a global batch, whatever the layout.

Each data rank brings its own rows of a step's batch; `rows` says which those are.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import deepspeed
import torch
import torch.distributed as dist
from torch import Tensor

from trainer.config import TrainConfig
from trainer.optimizer import adam
from trainer.parallel.pipeline import Labels, Pipeline
from trainer.parallel.ranks import Ranks
from trainer.parallel.settings import deepspeed_config


@dataclass(frozen=True)
class Batch:
    """This data rank's rows: tokens [rows, context + 1] int64; domains [rows] int64; counted [rows, context], whether a
    target's loss counts (None: all do); total, how many count in the whole batch of all data ranks (None: all do)."""

    tokens: Tensor
    domains: Tensor
    counted: Tensor | None = None
    total: float | None = None


@dataclass(frozen=True)
class StepResult:
    """loss in nats a token over the whole batch; grad_norm before clipping; tally [domains, 2] of nats and tokens; skipped:
    the update was held back."""

    loss: float
    grad_norm: float
    tally: Tensor
    skipped: bool = False


class Engine:
    """The network under DeepSpeed: training steps, validation losses, and the named parameters of this rank.

    Without `draw` the weights are NaN until a checkpoint is restored.
    """

    def __init__(
        self, config: TrainConfig, ranks: Ranks, domains: int = 1, document_end: int | None = None, draw: bool = True
    ) -> None:
        self.config, self.ranks, self.document_end = config, ranks, document_end
        self.pipeline = Pipeline(config, ranks, domains, draw)
        self.named = self.pipeline.named()
        settings = deepspeed_config(config, sum(parameter.numel() for parameter in self.named.values()))
        self._adam = adam(self.named, config)
        with contextlib.redirect_stdout(io.StringIO()):
            self.deepspeed, *_ = deepspeed.initialize(
                model=self.pipeline, optimizer=self._adam, config=settings, dist_init_required=False
            )
        self.optimizer: Any = self.deepspeed.optimizer
        reduce = self.deepspeed.buffered_allreduce_fallback
        # The gradients of a group are one buffer, reduced where it lies; with a larger limit DeepSpeed joins groups in a copy,
        # as large as all gradients.
        self.deepspeed.buffered_allreduce_fallback = lambda grads=None, elements_per_buffer=0: reduce(grads, 0)
        _same_groups_everywhere(self.optimizer.param_groups, ranks)

    def rows(self, count: int) -> slice:
        """This data rank's rows of a batch of `count`."""
        return self.ranks.rows(count)

    def step(self, batch: Batch, permit: Callable[[float, float], bool] | None = None) -> StepResult:
        """One optimizer step; all data ranks bring as many rows, a multiple of the micro-batch.

        `permit` is asked with loss and gradient norm, the same on every rank, before the weights change; where it says no
        they stay, and so do Adam's moments and count.
        """
        count = len(batch.tokens) * self.ranks.data_size
        if count != self.deepspeed.train_batch_size():
            self.deepspeed.set_train_batch_size(count)
        self.pipeline.tally.zero_()
        if self.config.model.dropout:
            self._seed_dropout()
        gate = _Gate(self, permit) if permit is not None else None
        self._adam.permit = gate
        loss = float(self.deepspeed.train_batch(self._micro_batches(batch)))
        norm = float(self.deepspeed.get_global_grad_norm())
        return StepResult(loss, norm, self.tally(), skipped=gate is not None and gate.answer is False)

    def losses(self, batch: Batch) -> Tensor:
        """Nats and tokens of each domain [domains, 2] over all data ranks, without training.

        Every data rank must bring as many rows, a multiple of the micro-batch; rows that only fill up do not count.
        """
        self.pipeline.tally.zero_()
        count = len(batch.tokens) // self.config.parallel.micro_batch
        self.deepspeed.eval_batch(self._micro_batches(batch), num_micro_batches=count, bcast_loss=False)
        return self.tally()

    def _micro_batches(self, batch: Batch) -> Iterator[Any]:
        """Micro-batch by micro-batch: inputs as DeepSpeed takes them (with an empty place for labels); the labels themselves
        go to the pipeline."""
        device, size = self.ranks.device, self.config.parallel.micro_batch
        counted = batch.counted if batch.counted is not None else torch.ones_like(batch.tokens[:, 1:])
        total = batch.total if batch.total is not None else counted.numel() * self.ranks.data_size
        # The engine averages over micro-batches and data ranks; with these weights the average is the mean over all tokens
        # that count, however they are spread.
        unit = (len(batch.tokens) // size) * self.ranks.data_size / max(1.0, total)
        for start in range(0, len(batch.tokens), size):
            part = slice(start, start + size)
            tokens = batch.tokens[part].t()
            inputs: Any = tokens[:-1].contiguous()
            if self.config.model.document_mask:
                inputs = (inputs, self._segments(inputs))
            if self.ranks.last:
                weights = counted[part].t().float() * unit
                labels = Labels(
                    tokens[1:].contiguous().to(device), weights.contiguous().to(device), batch.domains[part].to(device)
                )
                self.pipeline.labels.append(labels)
            yield inputs, ()

    def _segments(self, tokens: Tensor) -> Tensor:
        """Document numbers [sequence, batch] int32: one more after each end of document."""
        if self.document_end is None:
            raise RuntimeError("model.document_mask needs the tokenizer's end-of-document id, and none was given")
        ends = (tokens == self.document_end).int()
        return (ends.cumsum(0) - ends).int()

    def tally(self) -> Tensor:
        """The domain sums of the last stage's data ranks, on every rank. Tensor ranks hold the same, so one of them speaks."""
        tally = self.pipeline.tally
        if not (self.ranks.last and self.ranks.tensor.rank == 0):
            tally = torch.zeros_like(tally)
        tally = tally.clone()
        dist.all_reduce(tally)
        return tally.cpu()

    def _seed_dropout(self) -> None:
        """The same draws on tensor ranks that hold the same hidden state, others where each holds its share of it."""
        ranks = self.ranks
        own = ranks.tensor.rank if ranks.tensor.shares_sequence else 0
        place = self.config.seed, self.deepspeed.global_steps, ranks.data, ranks.stage, own
        torch.manual_seed(int.from_bytes(hashlib.sha256(repr(place).encode()).digest()[:7]))


class _Gate:
    """Asks once a step, at the moment when gradients are whole and weights unchanged; ZeRO-1 steps group by group."""

    def __init__(self, engine: Engine, permit: Callable[[float, float], bool]) -> None:
        self._engine, self._permit = engine, permit
        self.answer: bool | None = None

    def __call__(self) -> bool:
        if self.answer is None:
            nats, tokens = self._engine.tally().sum(0).tolist()
            norm = float(self._engine.optimizer._global_grad_norm)
            self.answer = self._permit(nats / max(1.0, tokens), norm)
        return self.answer


def _same_groups_everywhere(param_groups: list[dict[str, Any]], ranks: Ranks) -> None:
    """The gradient norm is reduced once a group: a stage with another number of groups would hang all of them."""
    names: list[Any] = [None] * dist.get_world_size()
    dist.all_gather_object(names, tuple(group["name"] for group in param_groups))
    if len(set(names)) != 1:
        raise RuntimeError(f"the stages do not have the same parameter groups: {sorted(set(names))}")
