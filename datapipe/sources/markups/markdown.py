"""Markdown, kept as Markdown (headings, lists and code are worth learning), without what only a site builder reads."""

from __future__ import annotations

import re

from datapipe.sources.markups.guard import require_closed

_FRONT = re.compile(r"\A\ufeff?---[ \t]*\r?\n.*?\n(?:---|\.\.\.)[ \t]*\r?\n", re.DOTALL)
_FENCE = re.compile(r"^(?P<fence>`{3,}|~{3,})[^\n]*\n.*?^(?P=fence)[ \t]*$", re.DOTALL | re.MULTILINE)
_TAGS = "div span p a img br center font table thead tbody tr td th details summary sub sup hr b i u"
_NOISE = (
    re.compile(r"<!--.*?-->", re.DOTALL),
    re.compile(r"\[!\[[^\]]{0,500}\]\([^)]{0,2000}\)\]\([^)]{0,2000}\)"),  # a linked picture
    re.compile(r"!\[[^\]]{0,500}\]\((?:[^()]|\([^()]{0,200}\)){0,2000}\)"),  # a picture
    re.compile(r"!\[[^\]]{0,500}\]\[[^\]]{0,200}\]"),
    re.compile(r"^[ \t]*\[[^\]^]+\]:[ \t]*(?:https?:|[./#<])\S*.*$", re.MULTILINE),  # where reference links lead
    re.compile(r"^[ \t]*:{3,}.*$", re.MULTILINE),  # layout directives
    re.compile(r"^[ \t]*>?[ \t]*\[!(?:INCLUDE|NOTE|TIP|IMPORTANT|WARNING|CAUTION|VIDEO)\b.*$", re.MULTILINE | re.IGNORECASE),
    re.compile(r"^:(?:label|begin_tab|end_tab)[^\n]*$", re.MULTILINE),
    re.compile(r"\{#[\w-]+\}|\{:[^}\n]*\}"),
    re.compile(rf"</?(?:{'|'.join(_TAGS.split())})\b[^>\n]{{0,500}}>", re.IGNORECASE),
)
_LINK = re.compile(
    r"(?<!!)\[((?:[^\[\]]|\[[^\[\]]{0,300}\]){0,500})\]"
    r"(?:\((?:[^()\s]|\([^()]{0,200}\)){0,2000}(?:\s+\"[^\"]{0,300}\")?\)|\[[^\]]{0,200}\])"
)


def to_text(text: str) -> str:
    """Front matter, comments, pictures, layout tags and link targets go; code blocks pass untouched."""
    require_closed(text, (("<!--", "-->"),))
    text = _FRONT.sub("", text.replace("\r\n", "\n"), count=1)
    parts: list[str] = []
    place = 0
    for block in _FENCE.finditer(text):
        parts.extend((_prose(text[place : block.start()]), block.group()))
        place = block.end()
    parts.append(_prose(text[place:]))
    return "".join(parts).strip("\n")


def _prose(text: str) -> str:
    for pattern in _NOISE:
        text = pattern.sub("", text)
    return _LINK.sub(r"\1", text)
