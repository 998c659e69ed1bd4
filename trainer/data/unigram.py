"""What a model that knows only how frequent each token is would lose: the line that any training has to get below."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tokenizer.shards import Shard
from trainer.data.token_data import ShardFacts, TokenData


def unigram_losses(data: TokenData, limit: int = 100_000_000) -> dict[str, float]:
    """Mean loss in nats a token on the held-out text of each domain, under the unigram model of the training mix.

    The counts of each domain enter by its weight in the mix, as the trainer sees them, and one is added to every entry
    of the vocabulary (Laplace). At most about `limit` tokens of each domain are counted.
    """
    weights = np.array([domain.proportion for domain in data.domains])
    counts = [_counts(domain.train, data.vocabulary, limit) for domain in data.domains]
    seen = float(sum(count.sum() for count in counts))
    mixed = sum(weight / weights.sum() * count / count.sum() for weight, count in zip(weights, counts, strict=True))
    loss = -np.log((mixed * seen + 1) / (seen + data.vocabulary))
    losses = {}
    for domain in data.domains:
        if domain.validation:
            held = _counts(domain.validation, data.vocabulary, limit)
            losses[domain.name] = float((held * loss).sum() / held.sum())
    return losses


def _counts(shards: tuple[ShardFacts, ...], vocabulary: int, limit: int) -> npt.NDArray[np.float64]:
    total = np.zeros(vocabulary, np.int64)
    for facts in shards:
        shard: Shard = facts.open()
        total += np.bincount(shard.tokens[: limit - int(total.sum())], minlength=vocabulary)
        if total.sum() >= limit:
            break
    return total.astype(np.float64)
