"""Source files: the licence at their head goes (it is the same ten thousand times), all else stays as it is written."""

from __future__ import annotations

import re

_COMMENT = re.compile(
    r"\A(?P<before>(?:#![^\n]*\n)?(?:#[^\n]*coding[:=][^\n]*\n)?\s*)"
    r"(?P<comment>/\*.*?\*/[ \t]*\n?|(?:[ \t]*(?:#|//|--|;+|%|\")(?!!)[^\n]*\n)+|<!--.*?-->[ \t]*\n?|\(\*.*?\*\)[ \t]*\n?)",
    re.DOTALL,
)
_LICENCE = re.compile(r"copyright|licen[cs]ed? |SPDX-License|all rights reserved|permission is hereby granted", re.IGNORECASE)
_HEAD = 20_000  # characters in which a first comment must end


def to_text(text: str) -> str:
    """The source without a first comment that speaks of its licence."""
    text = text.replace("\r\n", "\n")
    found = _COMMENT.match(text[:_HEAD])
    if found is None or not _LICENCE.search(found.group("comment")):
        return text
    return found.group("before") + text[found.end() :].lstrip("\n")
