"""A page to its main text: what is kept, and why a page is refused."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.config import ConfigError
from datapipe.config import HtmlConfig
from datapipe.sources.html import Page, _has_long_tag, page_text
from tests.datapipe.sources.builders import CHINESE, SENTENCES, page

CONFIG = HtmlConfig()


@pytest.mark.parametrize("sentences", [SENTENCES, CHINESE])
def test_paragraphs_are_kept_each_on_its_line(sentences: tuple[str, ...]) -> None:
    made = page_text(page(sentences), CONFIG)
    assert made.verdict is None and made.title == "A bridge"
    assert [line for line in made.text.split("\n") if line in sentences] == list(sentences)


def test_a_fragment_without_html_is_a_page() -> None:
    assert SENTENCES[0] in page_text("".join(f"<p>{sentence}</p>" for sentence in SENTENCES), CONFIG).text


@pytest.mark.parametrize(
    ("html", "rule"),
    [
        ("", "extract.empty"), (" \n", "extract.empty"), ("\x01\x02" * 50, "extract.binary"),
        ("x" * 4_000_001, "extract.too_large"),
        ("<html><body><script>x()</script></body></html>", "extract.no_text"), ("<div>" * 400 + "x", "extract.too_deep"),
        ("<html><body><ul><li><a href='/'>Home</a></li><li><a href='/x'>Login</a></li></ul></body></html>", "extract.no_text"),
    ],
)  # fmt: skip
def test_a_page_without_main_text_says_why(html: str, rule: str) -> None:
    made = page_text(html, CONFIG)
    assert made.verdict is not None and made.verdict.rule == rule and made.text == ""


SCRIPT = """<script type="application/ld+json">%s</script>"""
SHELL = "<html><head><title>A bridge</title>%s</head><body><div id='app'></div></body></html>"


@pytest.mark.parametrize(
    "data",
    [
        {"@type": "NewsArticle", "articleBody": "\n".join(SENTENCES)},
        {"@graph": [{"@type": "WebSite"}, {"@type": ["Article"], "articleBody": "".join(f"<p>{s}</p>" for s in SENTENCES)}]},
        [{"@type": "QAPage", "mainEntity": {"@type": "Question", "text": SENTENCES[0], "acceptedAnswer": {
            "@type": "Answer", "text": SENTENCES[1], "comment": [{"@type": "Comment", "text": SENTENCES[2]}]}}}],
    ],
)  # fmt: skip
def test_a_page_that_scripts_would_have_written_gives_what_it_carries_for_machines(data: object) -> None:
    html = SHELL % (SCRIPT % "{]" + SCRIPT % json.dumps(data))
    assert page_text(html, CONFIG) == Page("\n".join(SENTENCES), "A bridge")
    assert page_text(html, HtmlConfig(scripted_below=0)).verdict is not None


def test_a_forum_that_scripts_would_have_written_gives_what_it_says_to_those_without_them() -> None:
    posts = "".join(f"<div class='post'><p>{sentence}</p></div>" for sentence in SENTENCES)
    html = SHELL.replace("</body>", "<noscript><div class='wrap'>%s</div></noscript></body>") % ("", posts)
    assert page_text(html, CONFIG).text == "\n".join(SENTENCES)
    plea = "<noscript><p>Please switch scripts on in your browser to see this page.</p></noscript></body>"
    shown = page().replace("</body>", plea)
    assert page_text(shown, CONFIG) == page_text(page(), CONFIG)


def test_what_a_page_shows_goes_before_what_it_carries_and_descriptions_are_not_taken() -> None:
    carried = SCRIPT % json.dumps({"@type": "Article", "articleBody": "Something else entirely. " * 30})
    assert "Something else" not in page_text(page(head=carried), CONFIG).text
    product = SCRIPT % json.dumps({"@type": "Product", "description": SENTENCES[0] * 9, "text": SENTENCES[0] * 9})
    nested = SCRIPT % ("[" * 100_000)
    assert page_text(SHELL % (product + nested), CONFIG).verdict is not None


@given(st.text("<>a", max_size=60))
def test_a_long_tag_is_found_as_a_regular_expression_finds_it(html: str) -> None:
    assert _has_long_tag(html, 5) == (re.search("<[^<>]{5}", html) is not None)


def test_the_bound_decides_how_much_is_kept() -> None:
    html = page([*SENTENCES, "Copyright 2020. All rights reserved."])
    sizes = [len(page_text(html, HtmlConfig(main_text=bound)).text) for bound in (-8, -0.25, 8)]
    assert sizes == sorted(sizes, reverse=True) and sizes[0] > sizes[2]


@pytest.mark.parametrize("wrong", [{"main_text": 9.0}, {"max_depth": 300}, {"cpu_seconds": 0}])
def test_settings_that_cannot_be_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        HtmlConfig(**wrong)
