"""A web page to its main text, by trafilatura, behind bounds that make the work on any page finite.

The bounds are on the page itself (bytes, elements, children of one element, nesting), never on the clock, so a page gives
the same text on a loaded machine as on an idle one. They are needed: some paths in the extractor are quadratic in the
children of one element (8,000 links in one paragraph take 5 s), and the parser drops silently what lies deeper than 256.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from datapipe.config import HtmlConfig
from datapipe.document import Verdict
from datapipe.sources.charset import control_share

_SPACE = re.compile(r"\s+")


@dataclass(frozen=True)
class Page:
    """The main text of a page and its title; a verdict where there is no text to keep."""

    text: str = ""
    title: str | None = None
    verdict: Verdict | None = None


def page_text(html: str, config: HtmlConfig) -> Page:
    """The main text of a decoded page."""
    if (controls := control_share(html)) > 0.05:
        return _refuse("binary", controls, 0.05, "share of control characters")
    if len(html) > config.max_characters:
        return _refuse("too_large", len(html), config.max_characters, "characters")
    if not html or html.isspace():
        return _refuse("empty", 0, 1)
    tree = _extractor().load(html)
    if tree is None and "<" in html:  # a fragment without <html>: the extractor's loader takes it for something else
        tree = _extractor().load(f"<html><body>{html}</body></html>")
    if tree is None:
        return _refuse("no_html", detail="the parser finds no page in it")
    elements = int(tree.xpath("count(//*)"))
    if elements > config.max_elements:
        return _refuse("too_many_elements", elements, config.max_elements)
    children = max(map(len, tree.iter()))
    if children > config.max_children:
        return _refuse("too_many_children", children, config.max_children, "elements below one element")
    if tree.xpath(_deeper_than(config.max_depth)):
        return _refuse("too_deep", bound=config.max_depth, detail="elements nested in elements")
    title = _SPACE.sub(" ", tree.findtext(".//title") or "").strip() or None
    text = _extractor().extract(tree, config)
    if not text:
        return Page(title=title, verdict=Verdict("extract.no_text", 0, 1, "the extractor finds no main text"))
    return Page(text, title)


def _refuse(rule: str, measure: float | None = None, bound: float | None = None, detail: str | None = None) -> Page:
    return Page(verdict=Verdict(f"extract.{rule}", measure, bound, detail))


@lru_cache(maxsize=8)
def _deeper_than(depth: int) -> str:
    return f"boolean(/{'/'.join(['*'] * (depth + 1))})"


class _Extractor:
    """trafilatura, imported when the first page comes (0.7 s) and kept quiet: the ledger says what it discards."""

    def __init__(self) -> None:
        import trafilatura
        from trafilatura.utils import load_html

        logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
        self.load = load_html
        self._extract = trafilatura.extract

    def extract(self, tree: Any, config: HtmlConfig) -> str | None:
        text: str | None = self._extract(
            tree, fast=config.fast, include_comments=config.comments, include_tables=config.tables,
            favor_precision=config.precision, output_format="txt", with_metadata=False, deduplicate=False,
        )  # fmt: skip
        return text


@lru_cache(maxsize=1)
def _extractor() -> _Extractor:
    return _Extractor()
