"""Whether an export computes what the checkpoint computes: both read the same tokens, and their logits are compared."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import AutoModelForCausalLM
from transformers.utils import logging

from core.config import ConfigError
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
def compare(network: Network, folder: str, tokens: Tensor, threshold: float = TOLERANCE) -> Parity:
    """Reads `tokens` [batch, sequence] with our network and with the exported one, both in fp32.

    Raises ConfigError where they differ by more than `threshold`: such an export is another model.
    """
    logging.disable_progress_bar()
    exported = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, local_files_only=True).eval()
    ours = network.float().eval()(tokens.t()).transpose(0, 1)
    theirs = exported(tokens).logits
    parity = Parity(float((ours - theirs).abs().max()), float(ours.abs().max()), tokens.numel())
    if not parity.difference <= threshold * max(1.0, parity.largest):  # a NaN fails too
        raise ConfigError(
            f"{folder}: the exported model's logits differ from the checkpoint's by {parity.difference:.2e} "
            f"(allowed: {threshold:.0e}); the export is not used. Check the installed version of transformers."
        )
    return parity
