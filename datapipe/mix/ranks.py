"""Draws by content: a document's rank follows from its text and a purpose, so any cluster draws the same documents."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from core.hashing import key, mixed

RANK_BITS = 63
LAST_RANK = (1 << RANK_BITS) - 1
"""Ranks are 0 .. 2^63 - 1, since Spark has no unsigned integers."""


def ranks(content_hashes: npt.NDArray[np.int64], purpose: str, seed: int) -> npt.NDArray[np.int64]:
    """An even rank for each content hash [n] -> int64 [n].

    Other purposes give independent ranks, so that a sample of the selected documents is not their first few.
    """
    scattered = mixed(content_hashes.view(np.uint64), key(purpose, seed))
    return (scattered >> np.uint64(1)).astype(np.int64)


def fraction(rank: int) -> float:
    """A rank as a number from 0 to 1."""
    return rank / float(1 << RANK_BITS)
