"""The text that a page carries for machines: its JSON-LD (schema.org), for pages whose scripts would have set it.

An article's `articleBody`, and the `text` of a question or discussion with those of its answers and comments, in the order in
which they stand. Nothing else is taken: descriptions and reviews of products are written for search engines.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from lxml import etree

from datapipe.sources.page.blocks import walk
from datapipe.sources.page.parse import parse

_POSTS = frozenset(("Question", "Answer", "Comment", "DiscussionForumPosting", "SocialMediaPosting", "QAPage"))
_REPLIES = ("mainEntity", "acceptedAnswer", "suggestedAnswer", "comment")
_LONGEST = 2_000_000  # characters of a script
_scripts = etree.XPath("//script[@type='application/ld+json']/text()")


def embedded_text(root: Any) -> str:
    """The paragraphs of the longest article or discussion that the page's JSON-LD holds, a line each; empty if none."""
    found = [""]
    for script in _scripts(root):
        if len(script) > _LONGEST:
            continue
        try:
            found += ["\n".join(_texts(entry)) for entry in _entries(json.loads(script, strict=False))]
        except (ValueError, RecursionError):  # what is no JSON, or too deep to be somebody's text, has none
            continue
    return max(found, key=len)


def _entries(value: Any) -> Iterator[dict[str, Any]]:
    for entry in value if isinstance(value, list) else [value]:
        if isinstance(entry, dict):
            yield entry
            yield from _entries(entry.get("@graph") or [])


def _texts(entry: dict[str, Any]) -> Iterator[str]:
    """The plain lines of an article, or of a post and what answers it."""
    kinds = entry.get("@type")
    is_post = not _POSTS.isdisjoint(kind for kind in (kinds if isinstance(kinds, list) else [kinds]) if isinstance(kind, str))
    for name in ("articleBody", "text") if is_post else ("articleBody",):
        if isinstance(text := entry.get(name), str) and text.strip():
            yield from _plain(text)
            break
    if is_post:
        for name in _REPLIES:
            for reply in _entries(entry.get(name) or []):
                yield from _texts(reply)


def _plain(text: str) -> list[str]:
    """Lines of a value, which may hold markup and entities."""
    if "<" not in text and "&" not in text:
        return [line for part in text.splitlines() if (line := " ".join(part.split()))]
    root = parse(f"<body>{text}" if "<" in text else f"<body><pre>{text}</pre>")
    return [] if root is None else [line for part in walk(root).text for line in part.splitlines() if line.strip()]
