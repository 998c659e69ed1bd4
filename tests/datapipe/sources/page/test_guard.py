"""Pages that hang or explode: each ends within its budget, with its reason, and the next page is read."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator

import pytest

from datapipe.config import HtmlConfig
from datapipe.sources.html import Page, extract, page_text
from datapipe.sources.page import guard
from tests.datapipe.sources.builders import SENTENCES, page

CONFIG = HtmlConfig()
NO_BOUNDS = HtmlConfig(max_characters=100_000_000, max_elements=100_000_000, cpu_seconds=1)


@pytest.fixture(autouse=True, scope="module")
def _no_child_is_left() -> Iterator[None]:
    yield
    guard.stop()


def rule(made: Page) -> str | None:
    return made.verdict.rule if made.verdict else None


def test_a_page_gives_the_same_in_the_child_as_in_the_worker() -> None:
    for html in (page(), page(["日本"] * 3), "<p>", "", "\x00<b>x"):
        assert guard.extract(html, CONFIG) == extract(html, CONFIG)


def test_only_large_pages_go_to_the_child(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []

    def child(html: str, config: HtmlConfig) -> Page:
        sent.append(html)
        return Page("x")

    monkeypatch.setattr(guard, "extract", child)
    page_text(page(), CONFIG)
    assert not sent
    page_text(page(), dataclasses.replace(CONFIG, alone_tags=5))
    page_text(page(), dataclasses.replace(CONFIG, alone_characters=100))
    page_text(f"<p title='{70_000 * 'x'}'>y</p>", CONFIG)
    assert len(sent) == 3


def test_a_page_over_its_cpu_time_is_stopped_and_the_next_one_is_read() -> None:
    """The bounds are taken away, so that a page of 1.5 million paragraphs is begun."""
    made = page_text("<p>a" * 1_500_000, NO_BOUNDS)
    assert rule(made) == "extract.too_slow" and made.verdict is not None and made.verdict.bound == 1
    assert SENTENCES[0] in guard.extract(page(), CONFIG).text


def test_a_page_over_its_memory_is_refused_and_the_next_one_is_read() -> None:
    greedy = dataclasses.replace(NO_BOUNDS, max_memory=30_000_000, cpu_seconds=30)
    assert rule(page_text("<p>a" * 300_000, greedy)) in ("extract.too_much_memory", "extract.crashed")
    assert SENTENCES[0] in guard.extract(page(), CONFIG).text


def test_a_child_that_somebody_kills_is_no_verdict_on_its_page() -> None:
    guard.extract(page(), CONFIG)
    guard._child().kill()
    with pytest.raises(RuntimeError, match="SIGKILL from outside"):
        guard.extract(page(), CONFIG)
    assert SENTENCES[0] in guard.extract(page(), CONFIG).text


def test_the_child_serves_many_pages_and_a_fork_starts_its_own() -> None:
    guard.extract(page(), CONFIG)
    first = guard._child().pid
    assert guard._child().pid == first
    reader, writer = os.pipe()
    if (forked := os.fork()) == 0:
        os.write(writer, str(guard._child().pid).encode())
        guard.stop()
        os._exit(0)
    os.waitpid(forked, 0)
    assert int(os.read(reader, 20)) != first
    assert guard.extract(page(), CONFIG) == extract(page(), CONFIG)


ENTITIES = '<!ENTITY a "aaaaaaaaaa">' + "".join(
    f'<!ENTITY {name} "{f"&{held};" * 10}">' for held, name in zip("abcdefg", "bcdefgh", strict=True)
)
BOMBS = {
    "nested": ("<div>" * 100_000 + "deep", "extract.too_deep"),
    "nested inline": ("<b>" * 100_000 + "deep", "extract.too_deep"),
    "unclosed links": ("<a href=x>y" * 60_000, None),
    "one parent": ("<p>" + "<span>word</span> " * 40_000, None),
    "breaks": ("<div>" + "word<br>" * 90_000, None),
    "elements": ("<i>a</i>" * 100_001, "extract.too_many_elements"),
    "attributes": (f"<p {' '.join(f'a{n}=1' for n in range(30_000))}>{SENTENCES[0]}</p>", None),
    "one name": (f'<div class="{"ad-" * 300_000}"><p>{SENTENCES[0]}</p></div>', None),
    "entities": (f"<!DOCTYPE html [{ENTITIES}]><html><body><p>&h;</p><p>{SENTENCES[0]}</p></body></html>", None),
    "numeric entities": ("<p>" + "&#x41;" * 300_000 + "</p>", None),
    "tables": ("<table><tr><td>" * 60 + "x" * 1000, None),
    "no tag": ("<" * 500_000, None),
    "comments": ("<!--" * 200_000 + SENTENCES[0], None),
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_end_quickly(name: str) -> None:
    html, wanted = BOMBS[name]
    made = page_text(html, dataclasses.replace(CONFIG, cpu_seconds=10))
    assert len(made.text) <= len(html)
    if wanted:
        assert rule(made) == wanted
    else:
        assert rule(made) not in ("extract.too_slow", "extract.too_much_memory", "extract.crashed")
