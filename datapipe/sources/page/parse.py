"""Bytes of markup to a tree, by libxml2's HTML parser: forgiving, linear, and no comments in it."""

from __future__ import annotations

import re
from typing import Any

from lxml import etree

_PARSER = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, collect_ids=False)
_NOT_IN_MARKUP = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def parse(html: str) -> Any | None:
    """The root element; None where the parser finds no element."""
    if _NOT_IN_MARKUP.search(html):  # the parser ends at the first NUL
        html = _NOT_IN_MARKUP.sub("", html)
    try:
        return etree.fromstring(html.encode("utf-8", "replace"), _PARSER)
    except etree.XMLSyntaxError:
        return None


def title_of(root: Any) -> str:
    """The text of the title on one line; empty if there is none."""
    found = root.find(".//title")
    return " ".join("".join(found.itertext()).split()) if found is not None else ""
