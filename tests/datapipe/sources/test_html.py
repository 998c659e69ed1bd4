"""A page to its main text: what is kept, and why a page is refused."""

from __future__ import annotations

import pytest

from core.config import ConfigError
from datapipe.config import HtmlConfig
from datapipe.sources.html import page_text
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


def test_the_bound_decides_how_much_is_kept() -> None:
    html = page([*SENTENCES, "Copyright 2020. All rights reserved."])
    sizes = [len(page_text(html, HtmlConfig(main_text=bound)).text) for bound in (-8, -0.25, 8)]
    assert sizes == sorted(sizes, reverse=True) and sizes[0] > sizes[2]


@pytest.mark.parametrize("wrong", [{"main_text": 9.0}, {"max_depth": 300}, {"cpu_seconds": 0}])
def test_settings_that_cannot_be_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        HtmlConfig(**wrong)  # type: ignore[arg-type]
