"""Hosts into training, calibration and test: no host stands on two sides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import xxhash

TRAIN, CALIBRATE, TEST = "train", "calibrate", "test"
FEW = 6  # with fewer hosts a split by host leaves a side empty or one host as the measure of all


def split_hosts(hosts: Sequence[str], held_out: float, seed: int, known: Mapping[str, str] | None = None) -> dict[str, str]:
    """host -> side, for one host a document. In the order of their hashes, hosts fill test and calibration with half of
    `held_out` of the documents each; a host too large for what is still wanted trains. Both get at least one host where
    there are three. Hosts in `known` (those of the other class) keep the side that they have there."""
    sizes = Counter(hosts)
    order = sorted(sizes, key=lambda name: xxhash.xxh3_64_intdigest(f"{seed} {name}".encode()))
    sides = {name: (known or {}).get(name, TRAIN) for name in order}
    free = [name for name in order if name not in (known or {})]
    quota = held_out / 2 * len(hosts)
    filled = {side: sum(sizes[name] for name in order if sides[name] == side) for side in (TEST, CALIBRATE)}
    for name in free:
        side = min(filled, key=lambda side: filled[side])
        if filled[side] < quota and filled[side] + sizes[name] <= 1.5 * quota:
            sides[name] = side
            filled[side] += sizes[name]
    for side in filled:
        training = [name for name in free if sides[name] == TRAIN]
        if not filled[side] and len(order) >= 3 and len(training) > 1:
            smallest = min(training, key=lambda name: (sizes[name], order.index(name)))
            sides[smallest] = side
            filled[side] = sizes[smallest]
    return sides
