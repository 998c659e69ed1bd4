"""Text that opens far more than it closes is refused before a parser sees it.

Parsers and patterns look for the end of what was opened; where there is none they look through the rest of the text each
time, and 50 KB of `{{a|` take minutes. Real articles leave a few things open, broken ones and attacks thousands.
"""

from __future__ import annotations

from collections.abc import Iterable

SLACK = 100


class BrokenMarkup(ValueError):
    """The text is not in the markup that it should be in."""


def require_closed(text: str, pairs: Iterable[tuple[str, str]]) -> None:
    """Raises BrokenMarkup where one of the opening marks occurs much more often than its closing one."""
    for opening, closing in pairs:
        surplus = text.count(opening) - text.count(closing)
        if surplus > SLACK:
            raise BrokenMarkup(f"{surplus} times {opening} without {closing}")
