"""Chosen blocks of a page as text: a line each, cells of a table row side by side, list items marked, code as it stands."""

from __future__ import annotations

from collections.abc import Sequence

from datapipe.sources.page.blocks import FLAGS, KINDS, Blocks

_PARAGRAPH, _ITEM, _CELL = (KINDS.index(name) for name in ("p", "li", "cell"))
_SENTENCE_ENDS = '.!?。！？”"」…'
_SHORTEST, _LONGEST = 50, 100  # characters of lines set by hand
_LIST = 1 << FLAGS.index("list")


def together(blocks: Blocks, likely: Sequence[float]) -> list[float]:
    """The log-odds, where lines that a page broke by hand have those of the likeliest: such a paragraph stays or goes whole.

    A line goes on in the next where only a line break stands between them, it is as long as hand-set lines are, and it does
    not end as a sentence does. A link or a code in one line of a paragraph says nothing against that line.
    """
    even = list(likely)
    start = 0
    for place in range(1, len(even) + 1):
        if place < len(even) and _broken_by_hand(blocks, place):
            continue
        if place - start > 1:
            even[start:place] = [max(likely[start:place])] * (place - start)
        start = place
    return even


def _broken_by_hand(blocks: Blocks, place: int) -> bool:
    before = blocks.text[place - 1]
    return (
        blocks.after_break[place]
        and blocks.container[place] == blocks.container[place - 1]
        and _SHORTEST <= len(before) <= _LONGEST
        and before[-1] not in _SENTENCE_ENDS
    )


def choose(blocks: Blocks, likely: Sequence[float], bound: float, slack: float) -> list[int]:
    """The blocks whose log-odds reach the bound; a paragraph that goes on from a chosen sibling may lack `slack` of it.

    It goes on where it follows directly in the same element, is of the same tag and class, has no link and ends as a sentence
    does: pages mostly end in furniture, so that scores alone distrust the last paragraph of one that does not.
    """
    chosen: list[int] = []
    for place, odds in enumerate(likely):
        goes_on = bool(chosen) and chosen[-1] == place - 1 and odds >= bound - slack and _follows(blocks, place)
        if odds >= bound or goes_on:
            chosen.append(place)
    return chosen


def _follows(blocks: Blocks, place: int) -> bool:
    one, other = blocks.container[place - 1], blocks.container[place]
    return (
        blocks.kind[place] == _PARAGRAPH
        and not blocks.links[place]
        and blocks.text[place][-1] in _SENTENCE_ENDS
        and blocks.parent[one] == blocks.parent[other]
        and blocks.shape[one] == blocks.shape[other]
    )


def lines(blocks: Blocks, chosen: Sequence[int]) -> str:
    """The text of some blocks, in the page's order. An element's first block of a list item begins with "- "."""
    made: list[str] = []
    row, cell = 0, -1
    for place in chosen:
        text, kind, container = blocks.text[place], blocks.kind[place], blocks.container[place]
        if kind == _CELL and blocks.row[place] == row and row and container != cell:
            made[-1] = f"{made[-1]} | {text}"
        elif kind == _ITEM and blocks.first[container] == place and blocks.flags[place] & _LIST:
            made.append(f"- {text}")
        else:
            made.append(text)
        row, cell = (blocks.row[place], container) if kind == _CELL else (0, -1)
    return "\n".join(made)
