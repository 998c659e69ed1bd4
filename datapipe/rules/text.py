"""Rules that hold for any text: how long it is, and whether its bytes were decoded rightly."""

from __future__ import annotations

import numpy as np

from datapipe.rules.registry import rule
from datapipe.text.characters import GARBLED, SPACE
from datapipe.text.phrases import occurrences
from datapipe.text.spans import ratio
from datapipe.text.view import TextView

# What UTF-8 looks like when it is read as Latin-1, and GBK or UTF-8 when one is read as the other: own observations.
# Each is two or more characters that hardly ever meet in real text.
MOJIBAKE = ("ã€", "ï¼", "â€", "ã©", "ã¨", "ã¤", "ã¶", "ã¼", "ð¾", "ñ€", "锟斤拷", "烫烫烫", "屯屯屯", "銆�", "鈥�", "锛�")


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
    """Sequences that arise when text is read in a wrong encoding, per line of text."""
    return ratio(view.lines_of_documents.sum(occurrences(view, MOJIBAKE)), view.lines_of_documents.lengths)
