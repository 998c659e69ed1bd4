"""Kinds of characters counted for all blocks of a page at once, and the few words and dates that pages' frames are made of.

The blocks are joined by line feeds and looked at as one array of code points: ten regular expressions for each of 200 short
lines cost more than parsing the page.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Column = NDArray[np.float32]

_WIDE, _DIGIT, _UPPER, _END, _WIDE_END, _COMMA, _WIDE_COMMA, _MARK = (1 << bit for bit in range(8))
_RANGES = {
    _WIDE: ((0x3040, 0x30FF), (0x3400, 0x9FFF), (0xAC00, 0xD7A3), (0x20000, 0x323AF)),
    _DIGIT: ((0x30, 0x39), (0xFF10, 0xFF19)),
    _UPPER: ((0x41, 0x5A), (0xC0, 0xDE), (0x391, 0x3A9), (0x400, 0x42F)),
}
_SINGLE = {_END: ".!?…;·", _WIDE_END: "。！？；", _COMMA: ",", _WIDE_COMMA: "，、", _MARK: "|»›>/•·:：_→←▼▲【】[]©®&+"}
_CLOSERS = " \n\"'”’»)]"
_DATE = re.compile(r"\b(?:19|20)\d\d\b|\b\d{1,2}[:.]\d\d\b|\d月")
_AGO = re.compile(r"\bago\b")
FURNITURE = (
    "copyright|©|all rights|cookie|subscri|newsletter|sign up|log in|login|privacy|terms of|share this|share on|follow us|"
    "read more|click here|comment|reply|advertis|related|tweet|facebook|mail|print|download|loading|javascript|add to cart|"
    "版权|版權|转载|轉載|分享|评论|評論|登录|登錄|注册|註冊|编辑|編輯|来源|來源|相关|相關|推荐|推薦|上一篇|下一篇|打印|收藏|"
    "все права|комментари|подпис|читайте|источник|δικαιώματα|σχόλι|σχετικ|komentar|czytaj|udostępnij|prawa zastrz|"
    "teilen|anmelden|impressum|datenschutz|partager|abonne|lire aussi|condividi|compartir"
).split("|")
_ASCII_FURNITURE = [word for word in FURNITURE if word.isascii()]
FEW = 300  # characters; what is longer is prose, whatever words are in it


def _table() -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    kinds = np.zeros(0x110000, np.uint8)
    for bit, ranges in _RANGES.items():
        for low, high in ranges:
            kinds[low : high + 1] |= bit
    for bit, characters in _SINGLE.items():
        kinds[[ord(character) for character in characters]] |= bit
    closers = np.zeros(0x110000, bool)
    closers[[ord(character) for character in _CLOSERS]] = True
    return kinds, closers


_KINDS, _CLOSES = _table()


@dataclass(frozen=True)
class Counted:
    """For each block: characters, wide ones (Han, Kana, Hangul), sentence ends, commas, digits, capitals, marks, spaces."""

    size: Column
    wide: Column
    ends: Column
    commas: Column
    digits: Column
    capitals: Column
    marks: Column
    spaces: Column


def count(texts: Sequence[str]) -> Counted:
    """Counts for texts that are not empty. A full stop ends a sentence only before a space, a bracket or a quotation mark."""
    joined = "\n".join(texts) + "\n"
    points = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32)
    size = np.array([len(text) for text in texts])
    starts = np.concatenate([[0], np.cumsum(size + 1)[:-1]])
    kinds = _KINDS[points]
    before_space = np.append(_CLOSES[points[1:]], True)

    def total(hits: NDArray[np.bool_]) -> Column:
        return np.add.reduceat(hits, starts, dtype=np.int32).astype(np.float32)

    def has(bit: int) -> NDArray[np.bool_]:
        found: NDArray[np.bool_] = (kinds & bit) != 0
        return found

    ends = (has(_END) & before_space) | has(_WIDE_END)
    commas = (has(_COMMA) & before_space) | has(_WIDE_COMMA)
    single = (total(has(bit)) for bit in (_DIGIT, _UPPER, _MARK))
    digits, capitals, marks = single
    return Counted(
        size.astype(np.float32), total(has(_WIDE)), total(ends), total(commas), digits, capitals, marks, total(points == 32)
    )


def furniture_and_dates(texts: Sequence[str], digits: Column) -> tuple[Column, Column]:
    """Whether each block of at most 300 characters has a word of a page's frame, and whether it has a date or a time.

    digits: how many each block has; without one there is no date, save "ago".
    """
    short = [place for place, text in enumerate(texts) if len(text) <= FEW]
    lower = [texts[place].lower() for place in short]
    joined = "\n".join(lower)
    starts = np.cumsum([0, *(len(text) + 1 for text in lower)]).tolist()
    found, dates = np.zeros(len(texts), np.float32), np.zeros(len(texts), np.float32)

    def first_of_each(word: str) -> Iterator[int]:
        at = joined.find(word)
        while at >= 0:
            line = bisect_right(starts, at) - 1
            yield short[line]
            at = joined.find(word, starts[line + 1])

    for word in _ASCII_FURNITURE if joined.isascii() else FURNITURE:
        for place in first_of_each(word):
            found[place] = 1
    for place in first_of_each("ago"):
        if _AGO.search(texts[place].lower()):
            dates[place] = 1
    for place in np.flatnonzero(digits).tolist():
        if len(texts[place]) <= FEW and _DATE.search(texts[place]):
            dates[place] = 1
    return found, dates
