"""Permutations from a hash, so that an order depends on its key alone and on no library's version of random numbers."""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt


def key(*parts: object) -> int:
    """A 64-bit key from anything that prints the same everywhere (seed, domain, epoch ...)."""
    return int.from_bytes(hashlib.sha256("\0".join(map(str, parts)).encode()).digest()[:8], "little")


def permutation(length: int, shuffle_key: int) -> npt.NDArray[np.int64]:
    """0 .. length - 1 in an order given by the key: sorted by SplitMix64 (Steele et al. 2014), free of collisions."""
    with np.errstate(over="ignore"):
        mixed = np.arange(1, length + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(shuffle_key)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed = mixed ^ (mixed >> np.uint64(31))
    return np.argsort(mixed, kind="stable")
