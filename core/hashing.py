"""Numbers that look random and are fixed: an order or a draw that depends on its key alone, on every machine.

A library's random numbers may change between its versions; these do not.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import numpy.typing as npt


def key(*parts: object) -> int:
    """A 64-bit key from anything that prints the same everywhere (seed, purpose, epoch ...)."""
    return int.from_bytes(hashlib.sha256("\0".join(map(str, parts)).encode()).digest()[:8], "little")


def mixed(values: npt.NDArray[Any], with_key: int) -> npt.NDArray[np.uint64]:
    """64-bit integers scattered evenly by SplitMix64 (Steele et al. 2014) for this key; no two become one."""
    with np.errstate(over="ignore"):
        x = values.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(with_key)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        scattered: npt.NDArray[np.uint64] = x ^ (x >> np.uint64(31))
    return scattered


def permutation(length: int, with_key: int) -> npt.NDArray[np.int64]:
    """0 .. length - 1 in the order that the key gives."""
    return np.argsort(mixed(np.arange(1, length + 1), with_key), kind="stable")
