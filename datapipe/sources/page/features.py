"""What is measured of each block of a page: itself, its neighbours, the elements that hold it, the page.

All measures are taken for all blocks of a page at once; sums over containers are differences of running sums. Nothing here
depends on the language: lengths count characters, a Han or Kana character as two (a word of English has some five), sentence
ends are those of Latin, Greek, Cyrillic and East Asian scripts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from datapipe.sources.page.blocks import FLAGS, KINDS, Blocks
from datapipe.sources.page.characters import FEW, count, furniture_and_dates

Matrix = NDArray[np.float32]
Intervals = list[tuple[NDArray[np.int64], NDArray[np.int64]]]


class Measured(NamedTuple):
    """Measures of all blocks [blocks, M], their weight [blocks] (characters, a wide one as two), and what holds them."""

    values: Matrix
    weight: Matrix
    intervals: Intervals


_LEVELS = 4
_PAGE_FLAGS = ("article", "main", "body", "content", "comment", "item", "list")
_SHIFTS = (-3, -2, -1, 1, 2, 3)


def measures(blocks: Blocks, title: str) -> Measured:
    """The measures of a page's blocks, of which it has at least one."""
    texts = blocks.text
    counted = count(texts)
    size, wide, ends = counted.size, counted.wide, counted.ends
    weight = size + wide
    linked = np.minimum(np.array(blocks.linked, np.float32) / size, 1)
    furniture, dates = furniture_and_dates(texts, counted.digits)
    seen = Counter(texts)
    wanted = set(title.lower().split())
    last = [text[-1] for text in texts]
    alone = np.stack(
        [
            np.log1p(weight), linked, np.log1p(np.array(blocks.links, np.float32)), np.log1p(ends), np.log1p(counted.commas),
            (ends + counted.commas) / (weight + 10) * 20, counted.digits / size, counted.capitals / size,
            np.minimum(counted.marks, 8) / 4,
            np.array([character in ".!?。！？”\"」…" for character in last], np.float32),
            np.array([character in ":：" for character in last], np.float32),
            dates, furniture, np.array([min(seen[text], 4) - 1 for text in texts], np.float32),
            np.minimum(counted.spaces / size * 5, 2), (wide > size * 0.2).astype(np.float32),
            np.array([_overlap(text, wanted) for text in texts], np.float32),
            np.array(blocks.after_break, np.float32), np.array(blocks.depth, np.float32) / 10,
        ],
        axis=1,
    )  # fmt: skip
    kinds = np.eye(len(KINDS), dtype=np.float32)[np.array(blocks.kind)]
    flags, own = _bits(blocks.flags), _bits(blocks.own)
    place = _place(blocks, weight)
    around = _around(np.stack([alone[:, 0], alone[:, 1], alone[:, 3], alone[:, 12], kinds[:, 0], kinds[:, 2]], axis=1))
    intervals = holders(blocks)
    held = _held(blocks, intervals, weight, linked, ends, kinds[:, 0])
    page = _page(blocks, weight, linked, ends, kinds, flags)
    values = np.concatenate([alone, kinds, flags, own, place, around, held, page], axis=1, dtype=np.float32)
    return Measured(values, weight, intervals)


def _bits(values: list[int]) -> Matrix:
    return ((np.array(values, np.int64)[:, None] >> np.arange(len(FLAGS))) & 1).astype(np.float32)


def _overlap(text: str, wanted: set[str]) -> float:
    """Share of words that a short text and the title have in common."""
    if not wanted or len(text) > FEW:
        return 0.0
    listed = text.lower().split()
    if wanted.isdisjoint(listed):
        return 0.0
    words = set(listed)
    return len(words & wanted) / len(words | wanted)


def _place(blocks: Blocks, weight: Matrix) -> Matrix:
    """Where a block lies: by blocks, by characters, and from the first heading of rank one or two."""
    count = len(weight)
    order = np.arange(count, dtype=np.float32)
    total = np.cumsum(weight)
    kinds = np.array(blocks.kind)
    heading = np.flatnonzero(kinds == KINDS.index("heading"))
    since = np.full(count, 30, np.float32)
    if len(heading):
        last = np.searchsorted(heading, order, side="right") - 1
        since = np.where(last >= 0, np.minimum(order - heading[np.maximum(last, 0)], 30), 30).astype(np.float32)
    return np.stack(
        [
            order / count,
            (total - weight) / total[-1],
            np.minimum(order, 40) / 20,
            np.minimum(count - 1 - order, 40) / 20,
            since / 10,
        ],
        axis=1,
    ).astype(np.float32)


def _around(columns: Matrix) -> Matrix:
    """The same measures of the neighbours before and after; -1 beyond the page."""
    return np.concatenate([shifted(columns, by) for by in _SHIFTS], axis=1)


def shifted(columns: Matrix, by: int) -> Matrix:
    """Rows moved by some places: row i holds what row i + by held; -1 beyond the ends."""
    moved = np.full_like(columns, -1)
    if abs(by) < len(columns):
        if by > 0:
            moved[:-by] = columns[by:]
        else:
            moved[-by:] = columns[:by]
    return moved


def holders(blocks: Blocks) -> Intervals:
    """For each level outwards from the element around a block, the interval of blocks (first, end) that it holds."""
    up = [0] * len(blocks.parent)  # an element that holds nothing more than its child tells nothing new
    for place, (outer, start, end) in enumerate(zip(blocks.parent, blocks.first, blocks.end, strict=True)):
        same = outer and blocks.first[outer] == start and blocks.end[outer] == end
        up[place] = up[outer] if same else outer
    first, last, outwards = np.array(blocks.first), np.array(blocks.end), np.array(up)
    at = np.array(blocks.container)
    found = []
    for _ in range(_LEVELS):
        at = outwards[at]
        found.append((first[at], last[at]))
    return found


def sums(columns: Sequence[Matrix]) -> NDArray[np.float64]:
    """Running sums of some columns, with a row of zeros before them. [columns, rows + 1]"""
    total = np.zeros((len(columns), len(columns[0]) + 1))
    np.cumsum(columns, axis=1, dtype=np.float64, out=total[:, 1:])
    return total


def over(total: NDArray[np.float64], first: NDArray[np.int64], end: NDArray[np.int64]) -> Matrix:
    """Sums over intervals of rows, given running sums. [columns, intervals]"""
    found: Matrix = (total[:, end] - total[:, first]).astype(np.float32)
    return found


def _held(blocks: Blocks, intervals: Intervals, weight: Matrix, linked: Matrix, ends: Matrix, paragraph: Matrix) -> Matrix:
    """What the elements around a block hold: text, links, sentences, paragraphs, share of the page."""
    columns = []
    prose = weight * (1 - linked) * np.minimum(ends, 4)
    total = sums([weight, weight * linked, ends, paragraph * weight, prose])
    whole, whole_prose = weight.sum(), prose.sum() + 1
    for first, end in intervals:
        chars, in_links, ended, in_paragraphs, in_prose = over(total, first, end)
        columns += [
            np.log1p(chars), in_links / chars, ended / (chars + 50) * 50, in_paragraphs / chars,
            np.log1p((end - first).astype(np.float32)), chars / whole, in_prose / whole_prose,
        ]  # fmt: skip
    shapes = Counter(blocks.shape)
    parent = np.array(blocks.parent)
    at = np.array(blocks.container)
    repeats = np.array([shapes[shape] for shape in blocks.shape], np.float32)
    columns += [np.log1p(repeats[at]), np.log1p(repeats[parent[at]]), np.log1p(repeats[parent[parent[at]]])]
    return np.stack(columns, axis=1)


def _page(blocks: Blocks, weight: Matrix, linked: Matrix, ends: Matrix, kinds: Matrix, flags: Matrix) -> Matrix:
    """What is the same for all blocks of a page: how much text, how linked, in which elements."""
    total = weight.sum()
    values = [
        np.log1p(total), float((weight * linked).sum() / total), np.log1p(len(weight)), float(ends.sum() / (total + 100) * 100),
        np.log1p(weight.max()),
        *(float((weight * kinds[:, place]).sum() / total) for place in (0, 1, 2, 3, 8)),
        *(float((weight * flags[:, FLAGS.index(name)]).sum() / total) for name in _PAGE_FLAGS),
        float((weight * (weight > 120)).sum() / total),
    ]  # fmt: skip
    return np.tile(np.array(values, np.float32), (len(weight), 1))
