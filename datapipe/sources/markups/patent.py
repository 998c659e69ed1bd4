"""Patents (Chinese, as texts recognised from their pages): labels of parts, page marks and paragraph numbers go."""

from __future__ import annotations

import re

from datapipe.sources.markups.furniture import without_broken_lines

_PAGE = re.compile(
    r"[ \t]*(?:CN\s?\d{7,12}\s?[A-Z]?\s*)?"
    r"(?:权利要求书|说明书摘要|说明书附图|说明书|摘要附图)\s*\d{1,4}\s*/\s*\d{1,4}\s*页[ \t]*\d{0,4}"
)
_LABEL = re.compile(r"^(?:标题|摘要|权利声明|权利要求(?:书)?|说明书)[:：][ \t]*", re.MULTILINE)
_NUMBER = re.compile(r"^[ \t]*[\[［【]\s*\d{4}\s*[\]］】][ \t]*", re.MULTILINE)
_NUMBER_ALONE = re.compile(r"^[ \t]*CN\s?\d{7,12}\s?[A-Z]?[ \t]*$\n?", re.MULTILINE)


def to_text(text: str) -> str:
    """Title, abstract, claims and description as running text."""
    text = _PAGE.sub("", text.replace("\r\n", "\n"))
    text = _NUMBER_ALONE.sub("", _NUMBER.sub("", _LABEL.sub("", text)))
    return without_broken_lines(text).strip("\n")
