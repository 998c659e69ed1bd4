"""Chosen blocks of a page as text: a line each, cells of a table row side by side, list items marked, code as it stands."""

from __future__ import annotations

from collections.abc import Sequence

from datapipe.sources.page.blocks import FLAGS, KINDS, Blocks

_ITEM, _CELL, _PRE = (KINDS.index(name) for name in ("li", "cell", "pre"))
_LIST = 1 << FLAGS.index("list")


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
