"""What each tensor of the grown network holds: the small one's in its leading block, ordinary draws around it.

The width changes muP's m, and with it the 1/m on the logits: the old head is multiplied by what keeps the product, and so is
the embedding where the input multiplier changed. Adam's moments follow their weights: a gradient is divided by the factor.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from trainer.checkpoint import MOMENTS
from trainer.config import ModelConfig
from trainer.export.bring_in import factors
from trainer.export.forms import shape_of
from trainer.growth.blocks import Placed
from trainer.model.initial import drawn


@dataclass(frozen=True)
class Grown:
    """The tensors of the network `model` that `small` grows into, one at a time by canonical name.

    `read` gives the small network's tensors by their names in a checkpoint; the precision is theirs.
    """

    small: ModelConfig
    model: ModelConfig
    blocks: Sequence[Placed]
    read: Callable[[str], Tensor]
    seed: int

    def tensors(self, name: str) -> dict[str, Tensor]:
        """A weight and its two moments under their names in a checkpoint."""
        source, new = self._source(name)
        small = self.small
        factor = factors(self.model, small).get(name, 1.0)
        old = self.read(source)
        weight = drawn(name, shape_of(name, self.model), replace(self.model, init_seed=None), self.seed).to(old.dtype)
        head = "embedding.weight" if small.tied else "head.weight"
        if name == head and self.model.rows > small.rows:
            weight[small.rows :, : small.hidden] = quiet_row(old, small) * factor
        _lead(weight, old * factor)
        made = {name: weight}
        for moment, power in zip(MOMENTS, (1, 2), strict=True):
            whole = torch.zeros_like(weight)
            if not new:
                _lead(whole, self.read(f"{source}.{moment}") / factor**power)
            made[f"{name}.{moment}"] = whole
        return made

    def _source(self, name: str) -> tuple[str, bool]:
        """The small network's name of the tensor that this one holds or copies."""
        if not name.startswith("layers."):
            return name, False
        _, number, rest = name.split(".", 2)
        placed = self.blocks[int(number)]
        return f"layers.{placed.source}.{rest}", placed.new


def _lead(whole: Tensor, part: Tensor) -> None:
    """Writes a part into the leading block of a tensor."""
    whole[tuple(slice(size) for size in part.shape)] = part


def quiet_row(head: Tensor, model: ModelConfig) -> Tensor:
    """The row [hidden] for ids that new padding adds: the mean of the rows that no text asks for, or else of all rows.

    A drawn row's logit could lie far above what training has left of the others, and the loss would jump. By Jensen's
    inequality exp(a mean logit) is at most the mean of exp(logit): such a row takes no more probability than one of those.
    """
    assert model.vocab is not None
    unused = head[model.vocab :] if model.rows > model.vocab else head
    return unused.mean(0)
