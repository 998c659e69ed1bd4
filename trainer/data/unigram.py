"""What a model that knows only how frequent each token is would lose: the line that any training has to get below."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tokenizer.shards import Shard
from trainer.data.token_data import ShardFacts, TokenData


def unigram_nats(data: TokenData, limit: int = 100_000_000) -> npt.NDArray[np.float64]:
    """What each token costs under the unigram model of the training mix: nats [vocabulary].

    The counts of each domain enter by its weight in the mix, as the trainer sees them, and one is added to every entry
    of the vocabulary (Laplace). At most about `limit` tokens of each domain are counted.
    """
    weights = np.array([domain.proportion for domain in data.domains])
    counts = [_counts(domain.train, data.vocabulary, limit) for domain in data.domains]
    seen = float(sum(count.sum() for count in counts))
    mixed = sum(weight / weights.sum() * count / count.sum() for weight, count in zip(weights, counts, strict=True))
    nats: npt.NDArray[np.float64] = -np.log((mixed * seen + 1) / (seen + data.vocabulary))
    return nats


def _counts(shards: tuple[ShardFacts, ...], vocabulary: int, limit: int) -> npt.NDArray[np.float64]:
    total = np.zeros(vocabulary, np.int64)
    for facts in shards:
        shard: Shard = facts.open()
        total += np.bincount(shard.tokens[: limit - int(total.sum())], minlength=vocabulary)
        if total.sum() >= limit:
            break
    return total.astype(np.float64)
