"""The network as DeepSpeed's pipeline, also with one stage: there is one training engine.

A micro-batch enters as token ids [sequence, batch] (with document numbers beside them under a document mask) and leaves the
last stage as its loss, for which the head runs in chunks, so that full logits never exist.
"""

from __future__ import annotations

import contextlib
import io
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import torch
from deepspeed.runtime.pipe.module import LayerSpec, PipelineModule, TiedLayerSpec
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint, create_selective_checkpoint_contexts

from trainer.config import TrainConfig
from trainer.model.initial import initialise
from trainer.model.network import Block, Embedding, FinalNorm, Head, parts
from trainer.parallel.layers import cut
from trainer.parallel.loss import Scored
from trainer.parallel.ranks import Ranks

_TIED = "embedding"
# What selective recomputation keeps: the results of matrix products and of fused attention. Element-wise work is cheap.
_KEPT = [
    torch.ops.aten.mm.default,
    torch.ops.aten.addmm.default,
    torch.ops.aten._scaled_dot_product_flash_attention.default,
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu.default,
    torch.ops.aten._scaled_dot_product_efficient_attention.default,
    torch.ops.aten._scaled_dot_product_cudnn_attention.default,
]


def _make(name: str, kind: type[nn.Module], config: TrainConfig, ranks: Ranks, draw: bool) -> nn.Module:
    """A layer, cut for this rank and with its first values, unless a checkpoint is to fill it."""
    with torch.device("meta"):
        layer = kind(config.model)
    cut(layer, ranks.tensor)
    initialise(layer, name, config.model, config.seed, ranks.tensor, ranks.device, draw)
    return layer


class _Spec(LayerSpec):
    """A layer that is made only on the stage that owns it."""

    def __init__(self, kind: type[nn.Module], make: Callable[[], nn.Module]) -> None:
        super().__init__(kind)
        self.make = make

    def build(self, log: bool = False) -> nn.Module:
        return self.make()


class _TiedSpec(TiedLayerSpec):
    """One matrix that two stages hold and whose gradients DeepSpeed sums over them."""

    def __init__(self, kind: type[nn.Module], make: Callable[[], nn.Module]) -> None:
        super().__init__(_TIED, kind, tied_weight_attr=["weight"])
        self.make = make

    def build(self, log: bool = False) -> nn.Module:
        return self.make()


class Labels(NamedTuple):
    """targets [sequence, batch]; weights, the same, whose sum over all micro-batches and data ranks is their number (the
    engine averages over both); domains [batch]."""

    targets: Tensor
    weights: Tensor
    domains: Tensor


class Pipeline(PipelineModule):
    """The stages of the network; blocks are shared evenly, embedding and head go with the first and the last.

    On the last stage `labels` holds what the micro-batches under way are to predict, in order, and `tally` [domains, 2] sums
    nats and tokens of each domain since it was last cleared. The loss is part of `forward` and not DeepSpeed's `loss_fn`:
    its bf16 optimizer clears gradients when a backward pass reaches the module's output, and would lose the head's.
    """

    forward_funcs: list[Any]

    def __init__(self, config: TrainConfig, ranks: Ranks, domains: int = 1, draw: bool = True) -> None:
        self.config, self.ranks = config.model, ranks
        self.recompute = config.parallel.recompute
        self.part_names = [name for name, _ in parts(config.model)]
        specs = []
        for name, kind in parts(config.model):
            tied = config.model.tied and kind in (Embedding, Head)
            kind, name = (Embedding, _TIED) if tied else (kind, name)
            specs.append((_TiedSpec if tied else _Spec)(kind, partial(_make, name, kind, config, ranks, draw)))
        with contextlib.redirect_stdout(io.StringIO()):  # it prints its partition
            super().__init__(specs, topology=ranks.topology, partition_method="type:^Block$")
        self.labels: deque[Labels] = deque()
        self.tally = torch.zeros(
            domains, 2, dtype=torch.float64 if ranks.device.type == "cpu" else torch.float32, device=ranks.device
        )

    def _build(self) -> None:
        super()._build()
        if self.ranks.last:
            head = self.forward_funcs.pop()  # the loss runs it
            if self.config.tied:
                weight = head.weight
                with torch.device("meta"):
                    head = Head(self.config)
                head.tensor, head.weight = self.ranks.tensor, weight
            self._head = [head]  # in a list: registered once already, under its own number
        self.forward_funcs = [partial(self._run, layer) for layer in self.forward_funcs]

    def _run(self, layer: nn.Module, inputs: Tensor | tuple[Tensor, Tensor]) -> Tensor | tuple[Tensor, Tensor]:
        x, segments = inputs if isinstance(inputs, tuple) else (inputs, None)
        if isinstance(layer, Block):
            x = self._block(layer, x, segments)
        else:
            x = layer(x)
        return x if segments is None or isinstance(layer, FinalNorm) else (x, segments)

    def _block(self, block: Block, x: Tensor, segments: Tensor | None) -> Tensor:
        if self.recompute == "none" or not torch.is_grad_enabled():
            return block(x, segments)  # type: ignore[no-any-return]
        if self.recompute == "full":
            return checkpoint(block, x, segments, use_reentrant=False)  # type: ignore[no-any-return]
        contexts = partial(create_selective_checkpoint_contexts, _KEPT)
        return checkpoint(block, x, segments, use_reentrant=False, context_fn=contexts)  # type: ignore[no-any-return]

    def forward(self, inputs: Tensor | tuple[Tensor, Tensor]) -> Tensor | tuple[Tensor, Tensor]:
        """A stage: what the stage before it gave -> what the next one takes, or the loss."""
        x: Any = super().forward(inputs)
        return self._loss(x, self.labels.popleft()) if self.ranks.last else x

    def _loss(self, x: Tensor, labels: Labels) -> Tensor:
        targets, weights, domains = labels
        scored: Scored = self._head[0].loss(x, targets, weights)
        counted = weights != 0
        sums = torch.stack(((scored.losses * counted).sum(0), counted.sum(0)), dim=1)
        self.tally.index_add_(0, domains, sums.to(self.tally.dtype))
        return scored.total

    def held_parts(self) -> dict[str, nn.Module]:
        """This stage's parts of the network by canonical name; a matrix that two stages hold is left out."""
        return {self.part_names[int(path)]: part for path, part in self.named_children() if path.isdigit()}

    def named(self) -> dict[str, nn.Parameter]:
        """This rank's parameters by canonical name, each once, in the network's order."""
        found: dict[str, nn.Parameter] = {}
        for path, parameter in self.named_parameters():
            if path.startswith("tied_modules."):
                found[path.removeprefix("tied_modules.")] = parameter
            else:
                number, _, leaf = path.partition(".")
                found[f"{self.part_names[int(number)]}.{leaf}"] = parameter
        order = {name: place for place, name in enumerate(self.part_names)}
        return dict(sorted(found.items(), key=lambda item: order[_part(item[0])]))


def _part(name: str) -> str:
    pieces = name.split(".")
    return ".".join(pieces[:2]) if pieces[0] == "layers" else pieces[0]
