"""A web page to its main text, behind bounds that make the work on any page finite.

Parsed once, walked once, each line of text scored by markup, words and neighbours (`datapipe/sources/page/`): every step is
linear in the page, so the bounds (characters, elements, nesting) are on the page alone and the clock has no say. A page
beyond `alone_characters`, `alone_tags` or `alone_tag` is extracted in a child process that can be killed (`page/guard.py`);
what it gives is the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from datapipe.config import HtmlConfig
from datapipe.document import Verdict
from datapipe.sources.charset import control_share

if TYPE_CHECKING:
    from datapipe.sources.page.blocks import Blocks


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
    return len(html) > config.alone_tag and _has_long_tag(html, config.alone_tag)


def _has_long_tag(html: str, length: int) -> bool:
    """Whether so many characters without `<` or `>` follow a `<`; looks at few of the others."""
    at = html.find("<") + 1
    while at and at + length <= len(html):
        end = at + length
        opened, closed = html.rfind("<", at, end), html.rfind(">", at, end)
        if opened < 0 and closed < 0:
            return True
        at = opened + 1 if opened > closed else html.find("<", closed + 1) + 1
    return False


def extract(html: str, config: HtmlConfig) -> Page:
    """The main text of a page that is small enough to be looked at in this process."""
    from datapipe.sources.page import blocks, parse  # numpy and lxml only where there are pages

    root = parse.parse(html)
    if root is None:
        return refuse("no_html", detail="the parser finds no page in it")
    found = blocks.walk(root, config.max_elements)
    if found.elements > config.max_elements:
        return refuse("too_many_elements", found.elements, config.max_elements, "or more: the count ends there")
    if found.deepest > config.max_depth:
        return refuse("too_deep", found.deepest, config.max_depth, "elements nested in elements")
    title = parse.title_of(root) or None
    text, likely = _main_text(found, title, config)
    if len(text) < config.scripted_below:
        text = _without_scripts(root, title, config) or text
    if text:
        return Page(text, title)
    if likely is None:
        return Page(title=title, verdict=Verdict("extract.no_text", detail="no text on the page"))
    return Page(title=title, verdict=Verdict("extract.no_text", likely, config.main_text, "no line looks like main text"))


def _main_text(found: Blocks, title: str | None, config: HtmlConfig) -> tuple[str, float | None]:
    """The lines of main text, and the log-odds of the likeliest line; None where there is no line at all."""
    from datapipe.sources.page import lines, scores

    if not found.text:
        return "", None
    likely = scores.score(found, title or "").tolist()
    chosen = lines.choose(found, lines.together(found, likely), config.main_text, config.sibling)
    return lines.lines(found, chosen), max(likely)


def _without_scripts(root: Any, title: str | None, config: HtmlConfig) -> str:
    """What a page that its scripts would write says to those without them: its noscript elements, else its JSON-LD."""
    from datapipe.sources.page import blocks, embedded

    found = blocks.walk(root, config.max_elements, blocks.UNSCRIPTED)
    if max(found.elements - config.max_elements, found.deepest - config.max_depth) <= 0:
        text, _ = _main_text(found, title, config)
        if len(text) >= config.scripted_below:
            return text
    text = embedded.embedded_text(root)
    return text if len(text) >= config.scripted_below else ""


def refuse(rule: str, measure: float | None = None, bound: float | None = None, detail: str | None = None) -> Page:
    """A page that goes to the ledger."""
    return Page(verdict=Verdict(f"extract.{rule}", measure, bound, detail))
