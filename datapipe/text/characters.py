"""Classes of characters as bit flags, one table over all of Unicode, so that a text is classified by one indexing.

A class is a bit; `CLASSES[codes]` gives the flags of an array of code points. The table is made once a process from
`unicodedata` (about 0.1 s).
"""

from __future__ import annotations

import sys
import unicodedata
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

LETTER = 1  # any alphabet, syllabary or ideograph (categories L*)
NUMBER = 2  # N*
MARK = 4  # M*: combining, belongs to the character before it
SPACE = 8  # str.isspace
UPPER = 16  # Lu
PUNCTUATION = 32  # P* and S*
HAN = 64
KANA = 128
UNSPACED = 256  # letters of scripts written without spaces: each is a word of its own
TERMINAL = 512  # ends a sentence
CLOSING = 1024  # quotation marks and brackets that may follow the end of a sentence
BULLET = 2048  # begins an item of a list
INVISIBLE = 4096  # control and format characters that carry no text, and noncharacters
GARBLED = 8192  # replacement and private-use characters: what wrong decoding leaves behind
LINE_END = 16384  # \n

_TERMINAL = ".!?…。！？｡‽؟।"
_CLOSING = "\"'”’»」』）)]】›"
_BULLETS = "•‣▪▫■□●○◦▶►◆◇★☆※·∙❖➢✓✔-–*"
_HAN_RANGES = ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x323AF), (0x3005, 0x3007))
_KANA_RANGES = ((0x3041, 0x3096), (0x30A1, 0x30FA), (0x30FC, 0x30FC), (0x31F0, 0x31FF), (0xFF66, 0xFF9D))
# Thai, Lao, Myanmar, Khmer
_OTHER_UNSPACED_RANGES = ((0x0E01, 0x0E3A), (0x0E40, 0x0EDF), (0x1000, 0x109F), (0x1780, 0x17DC))
_KEPT_FORMAT = "\n\t\u200c\u200d\u200e\u200f"  # joiners and direction marks change how scripts read: kept


@lru_cache(maxsize=1)
def classes() -> NDArray[np.uint16]:
    """Flags of every code point, uint16 [0x110000]."""
    by_category = {"Lu": LETTER | UPPER, "Cf": INVISIBLE, "Cc": INVISIBLE, "Co": GARBLED, "Cs": GARBLED}
    by_group = {"L": LETTER, "N": NUMBER, "M": MARK, "P": PUNCTUATION, "S": PUNCTUATION}
    table = np.zeros(sys.maxunicode + 1, np.uint16)
    for code in (*range(0x32400), *range(0xE0000, 0xE0200)):
        category = unicodedata.category(chr(code))
        table[code] = by_category.get(category, by_group.get(category[0], 0))
    table[0xF0000:] = GARBLED  # the private planes
    for ranges, flag in (
        (_HAN_RANGES, HAN | UNSPACED | LETTER),
        (_KANA_RANGES, KANA | UNSPACED | LETTER),
        (_OTHER_UNSPACED_RANGES, UNSPACED),
    ):
        for first, last in ranges:
            table[first : last + 1] |= flag
    table[[code for code in range(0x3100) if chr(code).isspace()]] |= SPACE
    for characters, flag in ((_TERMINAL, TERMINAL), (_CLOSING, CLOSING), (_BULLETS, BULLET), ("\n", LINE_END)):
        table[[ord(character) for character in characters]] |= flag
    table[[ord(character) for character in _KEPT_FORMAT]] &= ~np.uint16(INVISIBLE)
    table[0xFFFD] = GARBLED
    table[[0xFFFE, 0xFFFF]] = INVISIBLE
    table.setflags(write=False)
    return table


@lru_cache(maxsize=1)
def lower_hashes() -> NDArray[np.uint64]:
    """A random-looking 64-bit number for each character, the same for its upper and lower case, uint64 [0x110000].

    It is what word, line and paragraph hashes are made of; it depends on nothing but the code point.
    """
    lower = np.arange(sys.maxunicode + 1, dtype=np.uint64)
    for code in range(0x1F000):
        small = chr(code).lower()
        if len(small) == 1 and ord(small) != code:
            lower[code] = ord(small)
    table = mix(lower + np.uint64(1))
    table.setflags(write=False)
    return table


def mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """SplitMix64's finaliser: a bijection of uint64 that spreads every bit over all others."""
    values = values * np.uint64(0x9E3779B97F4A7C15)
    values ^= values >> np.uint64(30)
    values *= np.uint64(0xBF58476D1CE4E5B9)
    values ^= values >> np.uint64(27)
    values *= np.uint64(0x94D049BB133111EB)
    values ^= values >> np.uint64(31)
    return values
