"""Fragments of HTML (posts, descriptions) to text, whole: unlike a page, all of it is content."""

from __future__ import annotations

import re
from typing import Any

import lxml.etree
import lxml.html

_BLOCKS = frozenset("p div ul ol pre blockquote table h1 h2 h3 h4 h5 h6 hr section article dl".split())
_LINES = {"br", "tr", "li", "dt", "dd"}
_SKIPPED = {"script", "style", "img", "iframe", "object", "svg"}
_SPACE = re.compile(r"\s+")
_BLANKS = re.compile(r" *\n *")


def to_text(html: str) -> str:
    """Paragraphs apart by an empty line, list items by "- ", code kept line for line."""
    if "<" not in html and "&" not in html:
        return html
    if not html.strip():
        return ""
    parts: list[str] = []
    for element in _parsed(html):
        _walk(element, parts)
        parts.append("\n\n")
    pieces = re.split(r"(\0.*?\0)", "".join(parts), flags=re.DOTALL)  # code stands between NULs and keeps its blanks
    text = "".join(piece[1:-1] if piece[:1] == "\0" else _BLANKS.sub("\n", piece) for piece in pieces)
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def _parsed(html: str) -> list[Any]:
    """What holds the content: one element around a fragment, the bodies of a whole page; nothing where a page has no body
    or the parser finds no element at all."""
    try:
        return [lxml.html.fragment_fromstring(html, create_parent="div")]
    except AssertionError:  # a whole page, and not with one body
        return list(lxml.html.document_fromstring(html).findall("body"))
    except lxml.etree.ParserError:
        return []


def _walk(element: Any, parts: list[str]) -> None:
    """Depth first with an explicit stack: posts nest as deep as their authors like."""
    stack: list[tuple[Any, bool]] = [(element, False)]
    while stack:
        node, left = stack.pop()
        tag = node.tag if isinstance(node.tag, str) else "script"
        if left:
            parts.append("\n\n" if tag in _BLOCKS else "\n" if tag in _LINES else "")
            parts.append(_SPACE.sub(" ", node.tail or ""))
        elif tag == "pre":
            parts.append("\n\n\0" + "".join(node.itertext()).replace("\0", "").strip("\n") + "\0\n\n")
            parts.append(_SPACE.sub(" ", node.tail or ""))
        elif tag in _SKIPPED:
            parts.append(_SPACE.sub(" ", node.tail or ""))
        else:
            parts.append("\n\n" if tag in _BLOCKS else "\n" if tag in _LINES and tag != "br" else "")
            parts.append("- " if tag == "li" else "")
            parts.append(_SPACE.sub(" ", node.text or ""))
            stack.append((node, True))
            stack.extend((child, False) for child in reversed(node))
