"""Loss and bits per byte of held-out text, each token predicted once.

BPB = nats / ln 2 / UTF-8 bytes. It asks how many bits a model needs for a byte of text, so that models with different
tokenizers can be compared; loss in nats per token cannot do that (report, section 4.3).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from trainer.evaluate.windows import HeldOut

Losses = Callable[[Tensor, Tensor], Tensor]
"""(tokens, targets), both int64 [sequence, batch] -> nats of each target [sequence, batch]."""


@dataclass(frozen=True)
class Score:
    """What some text cost: total nats, the tokens predicted (ends of documents included), the text's UTF-8 bytes."""

    nats: float = 0.0
    tokens: int = 0
    utf8_bytes: int = 0

    def __add__(self, other: Score) -> Score:
        return Score(self.nats + other.nats, self.tokens + other.tokens, self.utf8_bytes + other.utf8_bytes)

    @property
    def loss(self) -> float:
        """Nats per token."""
        return self.nats / self.tokens if self.tokens else math.nan

    @property
    def bpb(self) -> float:
        """Bits per UTF-8 byte."""
        return self.nats / math.log(2) / self.utf8_bytes if self.utf8_bytes else math.nan


def total(scores: Iterable[Score]) -> Score:
    """Several texts as one."""
    return sum(scores, Score())


@torch.no_grad()
def measure(
    losses: Losses,
    held_out: HeldOut,
    domain: str,
    batch: int,
    device: torch.device,
    advanced: Callable[[int], None] = lambda windows: None,
) -> dict[str, Score]:
    """The scores of a domain's held-out text by language, `batch` windows at a time.

    Nats are summed in fp64 by document. `advanced` hears how many windows were done.
    """
    documents = held_out.documents(domain)
    nats = np.zeros(len(documents))
    for rows in held_out.batches(domain, batch):
        real = rows.mask.any(axis=1)  # the last batch is filled up with windows of padding
        tokens = torch.from_numpy(rows.tokens[real]).to(device)
        found = losses(tokens[:, :-1].t(), tokens[:, 1:].t()).t().double().cpu().numpy()
        counts = rows.mask[real]
        np.add.at(nats, rows.document[real][counts], found[counts])
        advanced(int(real.sum()))
    scores = {}
    for language in sorted(set(documents["language"].tolist())):
        own = documents["language"] == language
        scores[language] = Score(
            float(nats[own].sum()), int(documents["tokens"][own].sum()), int(documents["utf8_bytes"][own].sum())
        )
    return scores
