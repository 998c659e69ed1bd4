"""A web page to its main text, behind bounds that make the work on any page finite.

Parsed once, walked once, each line of text scored by markup, words and neighbours (`datapipe/sources/page/`): every step is
linear in the page, so the bounds (characters, elements, nesting) are on the page alone and the clock has no say. A page
beyond `alone_characters`, `alone_tags` or `alone_tag` is extracted in a child process that can be killed (`page/guard.py`);
what it gives is the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from datapipe.config import HtmlConfig
from datapipe.document import Verdict
from datapipe.sources.charset import control_share


@dataclass(frozen=True)
class Page:
    """The main text of a page and its title; a verdict where there is no text to keep."""

    text: str = ""
    title: str | None = None
    verdict: Verdict | None = None


def page_text(html: str, config: HtmlConfig) -> Page:
    """The main text of a decoded page."""
    if (controls := control_share(html)) > 0.05:
        return refuse("binary", controls, 0.05, "share of control characters")
    if len(html) > config.max_characters:
        return refuse("too_large", len(html), config.max_characters, "characters")
    if not html or html.isspace():
        return refuse("empty", 0, 1)
    if _may_take_long(html, config):
        from datapipe.sources.page import guard

        return guard.extract(html, config)
    return extract(html, config)


def _may_take_long(html: str, config: HtmlConfig) -> bool:
    """By size, by tags, and by one tag of great length: the parser compares each attribute of an element with all others."""
    if len(html) > config.alone_characters or html.count("<") > config.alone_tags:
        return True
    return len(html) > config.alone_tag and _long_tag(config.alone_tag).search(html) is not None


@lru_cache(maxsize=8)
def _long_tag(length: int) -> re.Pattern[str]:
    return re.compile(f"<[^<>]{{{length}}}")


def extract(html: str, config: HtmlConfig) -> Page:
    """The main text of a page that is small enough to be looked at in this process."""
    from datapipe.sources.page import blocks, lines, parse, scores  # numpy and lxml only where there are pages

    root = parse.parse(html)
    if root is None:
        return refuse("no_html", detail="the parser finds no page in it")
    found = blocks.walk(root, config.max_elements)
    if found.elements > config.max_elements:
        return refuse("too_many_elements", found.elements, config.max_elements, "or more: the count ends there")
    if found.deepest > config.max_depth:
        return refuse("too_deep", found.deepest, config.max_depth, "elements nested in elements")
    title = parse.title_of(root) or None
    if not found.text:
        return Page(title=title, verdict=Verdict("extract.no_text", detail="no text on the page"))
    likely = scores.score(found, title or "")
    chosen = lines.choose(found, lines.together(found, likely.tolist()), config.main_text, config.sibling)
    if not chosen:
        return Page(
            title=title,
            verdict=Verdict("extract.no_text", float(likely.max()), config.main_text, "no line looks like main text"),
        )
    return Page(lines.lines(found, chosen), title)


def refuse(rule: str, measure: float | None = None, bound: float | None = None, detail: str | None = None) -> Page:
    """A page that goes to the ledger."""
    return Page(verdict=Verdict(f"extract.{rule}", measure, bound, detail))
