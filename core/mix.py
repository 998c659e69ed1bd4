"""The names of the mix: what the data line writes, the trainer draws from and the report sums."""

from __future__ import annotations


def domain_of(entry: str) -> str:
    """The domain of an entry of the mix, which is a domain or a part of one with epochs of its own (`WebText.en`). Domains have
    no dot in their names."""
    return entry.partition(".")[0]
