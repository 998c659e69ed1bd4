"""Rules that hold for any text: how long it is, and whether its bytes were decoded rightly."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from datapipe.rules.registry import rule
from datapipe.text.characters import GARBLED, SPACE
from datapipe.text.spans import ratio
from datapipe.text.view import TextView

MOJIBAKE = ("ã€", "ï¼", "â€", "Ã©", "Ã¨", "Ã¤", "Ã¶", "Ã¼", "ð\x9f", "锟斤", "烫烫", "屯屯", "銆€", "鈥œ", "锛Œ", "鐨勶")
"""Pairs of characters that hardly ever meet in real text, but do when UTF-8 is read as Latin-1 or as GBK, or memory that was
never written to is read as GBK (own list)."""
_PAIRS = np.array([[ord(character) for character in pair[:2]] for pair in MOJIBAKE])


@rule("text.characters")
def characters(view: TextView) -> np.ndarray:
    """Characters other than white space."""
    return (view.documents.lengths - view.count(SPACE)).astype(np.float64)


@rule("text.garbled_characters")
def garbled_characters(view: TextView) -> np.ndarray:
    """Replacement (U+FFFD) and private-use characters per character: what is left of bytes read in a wrong encoding."""
    return ratio(view.count(GARBLED), view.documents.lengths)


@rule("text.mojibake")
def mojibake(view: TextView) -> np.ndarray:
    """Pairs of `MOJIBAKE` per line of text."""
    at = np.flatnonzero(_suspects()[view.codes])
    first, second = view.codes[at], view.codes[np.minimum(at + 1, len(view.codes) - 1)]
    found = np.zeros(len(at), bool)
    for one, two in _PAIRS:
        found |= (first == one) & (second == two)
    return ratio(view.documents.count_at(at[found]), view.lines_of_documents.lengths)


@lru_cache(maxsize=1)
def _suspects() -> np.ndarray:
    """Which characters may begin a pair of `MOJIBAKE`, bool [0x110000]."""
    table = np.zeros(0x110000, bool)
    table[_PAIRS[:, 0]] = True
    return table
