"""The cheap text of a page: what is between tags, in time that grows with the page's length alone."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from datapipe.triage.cheap import cheap_text, plain
from tests.datapipe.sources.builders import SENTENCES, page


def test_text_is_what_stands_between_tags() -> None:
    found = cheap_text(page(head="<style>p { color: red }</style><script>var a = '<p>no</p>'</script><!-- <p>no</p> -->"))
    assert found.text == " ".join(["A bridge", "A bridge", *SENTENCES])
    assert found.prose == found.text and found.linked == 0


def test_links_are_known_apart_and_short_runs_are_no_prose() -> None:
    long = "word " * 200
    found = cheap_text(
        f"<nav><a href='/x'>Home</a><A HREF=/y><b>About</b> us</A></nav><p>short</p><p>{long}</p><article>end</article>"
    )
    assert found.linked == len("Home") + len("About") + len(" us")
    assert found.prose == long
    assert "short" in found.text and "Home" in found.text


def test_entities_are_read_and_bare_text_is_text() -> None:
    assert cheap_text("<p>caf&eacute; &#20013;&#25991;</p>").text == "café 中文"
    assert cheap_text("no tags at all").text == "no tags at all"
    assert plain("a < b").text == "a < b"


def test_an_article_given_to_search_engines_counts() -> None:
    body = "The river rose in the night. " * 5
    found = cheap_text(f'<html><script type="application/ld+json">{{"articleBody": "{body}"}}</script><p>menu</p></html>')
    assert body.strip() in found.text


def test_code_that_is_never_closed_hides_the_rest_and_a_comment_does_not() -> None:
    assert cheap_text("<p>one</p><script>var a = 1; <p>two</p>").text == "one"
    assert "two" in cheap_text("<p>one</p><!-- <p>two</p>").text


@given(st.text(alphabet="<>!-/a script\"'=", max_size=300))
def test_no_page_breaks_it(html: str) -> None:
    found = cheap_text(html)
    assert 0 <= found.linked <= found.characters == len(" ".join(found.text.split(" "))) or "&" in html


def test_hostile_pages_take_time_by_their_length() -> None:
    start = time.process_time()
    for unit in ("<script>", "<!--", "<a ", ">" + " " * 50, '"articleBody":"\\', "<a>x", "</script", "&#"):
        cheap_text(unit * (400_000 // len(unit)))
    assert time.process_time() - start < 5.0  # quadratic time would be minutes
