"""Rules for technical Markdown, English or Chinese: prose that explains must stand around its code, links and headings.

Own rules: The Stack and StarCoder (Li et al. 2023) filter Markdown as they do code, by line lengths and alphanumeric share,
which passes lists of links and bare dumps of code. What is fenced by ``` or ~~~ is code, all else is text.
"""

from __future__ import annotations

import numpy as np

from datapipe.rules.c4 import ends_a_sentence
from datapipe.rules.registry import rule
from datapipe.text.characters import LETTER
from datapipe.text.spans import Bools, Ints, ratio
from datapipe.text.view import TextView

_SHORT_ITEM = 40  # characters of an item that is no sentence
_FENCES = (ord("`"), ord("~"))


@rule("markdown.code_share")
def code_share(view: TextView) -> np.ndarray:
    """Share of the lines' characters that stand in fenced code."""
    sizes = view.lines.lengths
    return ratio(view.lines_of_documents.sum(np.where(_fenced(view), sizes, 0)), view.lines_of_documents.sum(sizes))


@rule("markdown.prose")
def prose(view: TextView) -> np.ndarray:
    """Letters in lines of text that end a sentence or hold at least forty characters, outside code, headings and tables."""
    first = view.codes[view.lines.starts]
    told = ~_fenced(view) & (first != ord("#")) & (first != ord("|"))
    told &= ends_a_sentence(view, view.lines) | (view.lines.lengths >= _SHORT_ITEM)
    return view.lines_of_documents.sum(np.where(told, view.count_in_lines(LETTER), 0)).astype(np.float64)


@rule("markdown.headings")
def headings(view: TextView) -> np.ndarray:
    """Share of the lines outside code that are headings: skeletons of articles never written have little else."""
    text = ~_fenced(view)
    heading = text & (view.codes[view.lines.starts] == ord("#"))
    return ratio(view.lines_of_documents.count(heading), view.lines_of_documents.count(text))


@rule("markdown.short_items")
def short_items(view: TextView) -> np.ndarray:
    """Share of the lines outside code that are items of a list, of at most forty characters and no sentence: tables of
    contents and collections of links (a link's target is cut at extract)."""
    text = ~_fenced(view)
    starts = view.lines.starts
    bullet = np.isin(view.codes[starts], [ord(mark) for mark in "-*+"]) & (view.codes[starts + 1] == ord(" "))
    item = text & bullet & (view.lines.lengths <= _SHORT_ITEM) & ~ends_a_sentence(view, view.lines)
    return ratio(view.lines_of_documents.count(item), view.lines_of_documents.count(text))


def _fenced(view: TextView) -> Bools:
    """Which lines are fenced code or fences, bool [lines]; a fence left open reaches to the end of its document."""
    starts = view.lines.starts
    last = len(view.codes) - 1
    marks = [view.codes[np.minimum(starts + step, last)] for step in range(3)]
    fence = np.isin(marks[0], _FENCES) & (marks[0] == marks[1]) & (marks[0] == marks[2])
    owner = view.lines_of_documents
    before: Ints = np.cumsum(fence) - np.repeat(_before(fence, owner.starts), owner.lengths)
    fenced: Bools = fence | (before % 2 == 1)
    return fenced


def _before(fence: Bools, starts: Ints) -> Ints:
    """How many fences stand before each document's first line."""
    total: Ints = np.concatenate([[0], np.cumsum(fence)])[starts]
    return total
