"""Bytes of markup to a tree, by libxml2's HTML parser: forgiving, linear, and no comments in it."""

from __future__ import annotations

from typing import Any

from lxml import etree

_PARSER = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, collect_ids=False)
_NOT_IN_MARKUP = bytes((*range(9), 0x0B, 0x0C, *range(0x0E, 0x20)))  # the parser ends at the first NUL


def parse(html: str) -> Any | None:
    """The root element; None where the parser finds no element."""
    if "\ufffe" in html or "\uffff" in html:
        html = html.replace("\ufffe", "").replace("\uffff", "")
    data = html.encode("utf-8", "replace").translate(None, _NOT_IN_MARKUP)
    try:
        return etree.fromstring(data, _PARSER)
    except etree.XMLSyntaxError:
        return None


def title_of(root: Any) -> str:
    """The text of the title on one line; empty if there is none."""
    found = next(root.iter("title"), None)
    return " ".join("".join(found.itertext()).split()) if found is not None else ""
