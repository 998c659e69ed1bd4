"""Which blocks of the small network the grown one's copy: on top, in between, or where the least happens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.config import ConfigError
from trainer.checkpoint import Checkpoint
from trainer.config.grow import LayerChoice
from trainer.model.network import Block, Embedding


@dataclass(frozen=True)
class Placed:
    """A block of the grown network: the small network's block it holds or copies, and whether it is new."""

    source: int
    new: bool


def arrange(choice: LayerChoice, before: int, now: int, distances: Sequence[float] = ()) -> list[Placed]:
    """The blocks of the grown network in order: the old ones keep their order, a copy follows the block that it copies.

    stack: the last blocks once more on top (the whole stack, where the depth doubles; Gong et al. 2019); interpolate: copies
    at even distances; distance: the blocks with the smallest of `distances` are copied, all of them once before one twice.
    """
    extra = now - before
    if choice == "stack":
        copies = [Placed(before - 1 - (extra - 1 - n) % before, True) for n in range(extra)]
        return [*(Placed(n, False) for n in range(before)), *copies]
    if choice == "interpolate":
        count = [(n + 1) * extra // before - n * extra // before for n in range(before)]
    else:
        if extra and len(distances) != before:
            raise ConfigError(f"grow.layers = distance needs a distance for each of {before} blocks, not {len(distances)}.")
        count = [extra // before] * before
        for n in sorted(range(before), key=lambda n: (distances[n], n))[: extra % before]:
            count[n] += 1
    return [Placed(n, copy > 0) for n in range(before) for copy in range(1 + count[n])]


@torch.no_grad()
def distances(checkpoint: Checkpoint, tokens: Tensor, segments: Tensor | None = None) -> list[float]:
    """How far each block moves the residual stream: |output - input| / |input|, the mean over tokens [sequence, batch].

    `segments` [sequence, batch] numbers the documents, for a network whose attention stops between them. One block is in
    memory at a time, so a network of any size can be measured where its states fit.
    """
    model = checkpoint.model
    x = _loaded(Embedding(model), "embedding", checkpoint)(tokens)
    found = []
    for number in range(model.layers):
        out = _loaded(Block(model), f"layers.{number}", checkpoint)(x, segments)
        found.append(float(((out - x).norm(dim=-1) / x.norm(dim=-1)).mean()))
        x = out
    return found


def _loaded(part: nn.Module, name: str, checkpoint: Checkpoint) -> nn.Module:
    part.load_state_dict({path: checkpoint.tensor(f"{name}.{path}") for path, _ in part.named_parameters()})
    return part.eval()
