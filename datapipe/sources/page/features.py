"""What is measured of each block of a page: itself, its neighbours, the elements that hold it, the page.

All measures are taken for all blocks of a page at once; sums over containers are differences of running sums. Nothing here
depends on the language: lengths count characters, a Han or Kana character as two (a word of English has some five), sentence
ends are those of Latin, Greek, Cyrillic and East Asian scripts.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from datapipe.sources.page.blocks import FLAGS, KINDS, Blocks
from datapipe.sources.page.characters import FEW, count, furniture_and_dates

Matrix = NDArray[np.float32]

_LEVELS = 4
_PAGE_FLAGS = ("article", "main", "body", "content", "comment", "item", "list")
_SHIFTS = (-3, -2, -1, 1, 2, 3)


def measures(blocks: Blocks, title: str) -> tuple[Matrix, Matrix]:
    """(measures [blocks, M], weight [blocks]: characters, a wide one as two). The page has at least one block."""
    texts = blocks.text
    counted = count(texts)
    size, wide, ends = counted.size, counted.wide, counted.ends
    weight = size + wide
    linked = np.minimum(np.array(blocks.linked, np.float32) / size, 1)
    furniture, dates = furniture_and_dates(texts)
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
    held = _held(blocks, weight, linked, ends, kinds[:, 0])
    page = _page(blocks, weight, linked, ends, kinds, flags)
    return np.concatenate([alone, kinds, flags, own, place, around, held, page], axis=1, dtype=np.float32), weight


def _bits(values: list[int]) -> Matrix:
    return ((np.array(values, np.int64)[:, None] >> np.arange(len(FLAGS))) & 1).astype(np.float32)


def _overlap(text: str, wanted: set[str]) -> float:
    """Share of words that a short text and the title have in common."""
    if not wanted or len(text) > FEW:
        return 0.0
    words = set(text.lower().split())
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


def holders(blocks: Blocks) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """For each level outwards from the element around a block, the interval of blocks (first, end) that it holds."""
    first, end, parent = (np.array(column) for column in (blocks.first, blocks.end, blocks.parent))
    at = np.array(blocks.container)
    found = []
    for _ in range(_LEVELS):
        up = parent[at]
        while True:  # an element that holds nothing more than its child tells nothing new
            same = (first[up] == first[at]) & (end[up] == end[at]) & (up != parent[up])
            if not same.any():
                break
            up = np.where(same, parent[up], up)
        at = up
        found.append((first[at], end[at]))
    return found


def over(values: Matrix, first: NDArray[np.int64], end: NDArray[np.int64]) -> Matrix:
    """Sums of values over intervals of rows."""
    total = np.concatenate([[0], np.cumsum(values, dtype=np.float64)])
    sums: Matrix = (total[end] - total[first]).astype(np.float32)
    return sums


def _held(blocks: Blocks, weight: Matrix, linked: Matrix, ends: Matrix, paragraph: Matrix) -> Matrix:
    """What the elements around a block hold: text, links, sentences, paragraphs, share of the page."""
    columns = []
    prose = weight * (1 - linked) * np.minimum(ends, 4)
    for first, end in holders(blocks):
        chars = over(weight, first, end)
        columns += [
            np.log1p(chars), over(weight * linked, first, end) / chars, over(ends, first, end) / (chars + 50) * 50,
            over(paragraph * weight, first, end) / chars, np.log1p((end - first).astype(np.float32)),
            chars / weight.sum(), over(prose, first, end) / (prose.sum() + 1),
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
