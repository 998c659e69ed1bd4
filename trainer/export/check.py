"""Whether an export computes what the checkpoint computes: both read the same tokens, and their logits are compared.

Neither has to fit into memory: a network stands there without weights, and each of its layers gets its own when it is
called and loses them when it has answered.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoConfig
from transformers.utils import logging

from core.config import ConfigError
from trainer.checkpoint import Checkpoint
from trainer.export.skeleton import skeleton
from trainer.export.stored import Stored
from trainer.model.network import Network

TOLERANCE = 1e-5
"""Largest difference of two fp32 logits, as a share of the largest of them where that is above 1: the order of additions."""


@dataclass(frozen=True)
class Parity:
    """The largest difference of any logit, the largest logit (for scale), and how many tokens were read."""

    difference: float
    largest: float
    tokens: int


@torch.no_grad()
def compare(ours: nn.Module, folder: str, tokens: Tensor, threshold: float = TOLERANCE) -> Parity:
    """Reads `tokens` [batch, sequence] with our network and with the exported one, both in fp32.

    Raises ConfigError where they differ by more than `threshold`: such an export is another model.
    """
    here = ours(tokens.t()).transpose(0, 1)
    there = exported(folder)(tokens).logits
    parity = Parity(float((here - there).abs().max()), float(here.abs().max()), tokens.numel())
    if not parity.difference <= threshold * max(1.0, parity.largest):  # a NaN fails too
        raise ConfigError(
            f"{folder}: the exported model's logits differ from the checkpoint's by {parity.difference:.2e} "
            f"(allowed: {threshold:.0e}); the export is not used. Check the installed version of transformers."
        )
    return parity


def of_checkpoint(checkpoint: Checkpoint, dtype: torch.dtype) -> Network:
    """A checkpoint's network in fp32, its weights rounded to `dtype` first, read as they are needed."""
    with torch.device("meta"):
        network = Network(checkpoint.model)
    tied = {"head.weight": "embedding.weight"} if checkpoint.model.tied else {}
    lend(network, lambda name: checkpoint.tensor(tied.get(name, name)).to(dtype).float())
    return network.eval()


def exported(folder: str) -> Any:
    """A directory's model as transformers makes it, in fp32, its weights read as they are needed.

    Raises ConfigError where the directory has not the very tensors that transformers asks for.
    """
    logging.disable_progress_bar()
    config = AutoConfig.from_pretrained(folder, local_files_only=True)
    model = skeleton(config)
    stored = Stored(folder)
    asked = {name for name, _ in model.named_parameters()}  # of tied matrices the first
    if asked != set(stored.files):
        raise ConfigError(
            f"{folder}: transformers asks for other tensors than the export has, {min(asked ^ set(stored.files))} for one; "
            "the export is not used. Check the installed version of transformers."
        )
    tied = {"lm_head.weight": "model.embed_tokens.weight"} if config.tie_word_embeddings else {}
    lend(model, lambda name: stored.tensor(tied.get(name, name)).float())
    return model.eval()


def lend(network: nn.Module, read: Callable[[str], Tensor]) -> None:
    """Lets each module with parameters of its own, all on the meta device, have them from `read` (by their full names)
    while it computes."""
    for prefix, module in network.named_modules():
        names = [name for name, _ in module.named_parameters(recurse=False)]
        if names:
            _lend(module, {name: f"{prefix}.{name}" for name in names}, read)


def _lend(module: nn.Module, names: dict[str, str], read: Callable[[str], Tensor]) -> None:
    empty = dict(module.named_parameters(recurse=False))

    def take(*given: Any) -> None:
        for name, full in names.items():
            setattr(module, name, nn.Parameter(read(full), requires_grad=False))

    def give_back(*given: Any) -> None:
        for name in names:
            setattr(module, name, empty[name])

    module.register_forward_pre_hook(take)
    module.register_forward_hook(give_back)
