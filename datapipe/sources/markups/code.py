"""Source files: the licence at their head goes (it is the same ten thousand times), all else stays as it is written."""

from __future__ import annotations

import re

_LEAD = re.compile(
    r"\A(?:#![^\n]*\n)?(?:[^\n]{0,5}coding[:=][^\n]*\n|<\?(?:xml|php)[^\n]*\n|[^\n]{0,3}-\*-[^\n]*-\*-[^\n]*\n|[ \t]*\n)*"
)
_COMMENT = re.compile(
    r"\s*(?:/\*.*?\*/[ \t]*\n?|(?:[ \t]*(?:#|//|--|;+|%|\"(?!\"\")|'(?!'')|REM )(?!!)[^\n]*(?:\n|\Z))+"
    r"|<!--.*?-->[ \t]*\n?"
    r"|\(\*.*?\*\)[ \t]*\n?|\{-.*?-\}[ \t]*\n?|[rR]?\"\"\".*?\"\"\"[ \t]*\n?|[rR]?'''.*?'''[ \t]*\n?"
    r"|=begin\b.*?\n=end[ \t]*\n?)",
    re.DOTALL,
)
_LICENCE = re.compile(
    r"copyright|\(c\) ?\d{4}|licen[cs]ed? |SPDX-License|all rights reserved|permission is hereby granted|without warranty"
    r"|版权所有|许可证",
    re.IGNORECASE,
)
_HEAD = 20_000  # characters in which a first comment must end
_MOST = 4  # comments one after another of which the licence may be made


def to_text(text: str) -> str:
    """The source without the comments at its head that speak of its licence; a shebang and an encoding line stay."""
    text = text.replace("\r\n", "\n")
    lead = _LEAD.match(text)
    begin = place = lead.end() if lead else 0
    for _ in range(_MOST):
        found = _COMMENT.match(text[:_HEAD], place)
        if found is None or not _LICENCE.search(found.group()):
            break
        place = found.end()
    return text if place == begin else text[:begin] + text[place:].lstrip("\n")
