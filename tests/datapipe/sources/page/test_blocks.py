"""The walk: every word of a page once and in order, on the lines where a browser would set it."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from datapipe.sources.page.blocks import FLAGS, KINDS, Blocks, walk
from datapipe.sources.page.features import measures
from datapipe.sources.page.hints import GROUPS, hints
from datapipe.sources.page.parse import parse


def blocks(body: str) -> Blocks:
    return walk(parse(f"<html><head><title>No text of the page</title></head><body>{body}</body></html>"))


def flagged(found: Blocks, place: int) -> set[str]:
    return {name for bit, name in enumerate(FLAGS) if found.flags[place] >> bit & 1}


def test_lines_end_at_blocks_and_breaks_and_nowhere_else() -> None:
    found = blocks("lead <b>bold <i>both</i></b> tail<p>one<br>two</p> after <div>in<ul><li>item</ul></div>")
    assert found.text == ["lead bold both tail", "one", "two", "after", "in", "item"]
    assert [KINDS[kind] for kind in found.kind] == ["other", "p", "p", "other", "other", "li"]
    assert found.after_break == [False, False, True, False, False, False]


def test_scripts_forms_controls_and_images_give_no_text_but_what_follows_them_does() -> None:
    found = blocks("<p>a<script>no()</script>b<select><option>no</option></select>c<svg><text>no</text></svg>d</p>")
    assert found.text == ["abcd"]


def test_code_keeps_its_lines_and_its_indent() -> None:
    found = blocks("<p>Before</p><pre><code>def f(x):\n    <span>return</span> x\n\n\treturn 1</code></pre>")
    assert found.text == ["Before", "def f(x):\n    return x\n\n    return 1"]


def test_links_are_counted_with_their_characters() -> None:
    found = blocks('<p>See <a href="/x">the <b>bridge</b></a> and <a href="/y">mill</a>.</p>')
    assert (found.links, found.linked) == ([2], [len("the") + len("bridge") + len("mill")])


def test_a_formula_is_its_latex_source() -> None:
    body = '<p>Here <math alttext="y"><mi>x</mi><annotation encoding="application/x-tex">x^2</annotation></math> is.</p>'
    assert blocks(body).text == ["Here \\(x^2\\) is."]


def test_flags_come_from_all_elements_around() -> None:
    found = blocks('<nav><div class="side-bar"><p>a</p></div></nav><article style="display: none"><p>b</p></article>')
    assert {"nav", "side"} <= flagged(found, 0) and "article" not in flagged(found, 0)
    assert {"article", "hidden"} <= flagged(found, 1) and "nav" not in flagged(found, 1)


def test_names_are_words_in_any_spelling() -> None:
    bit = {name: 1 << place for place, name in enumerate(FLAGS)}
    assert hints("article-body") & bit["body"] and hints("articleBody") & bit["body"] and hints("post_content") & bit["body"]
    assert hints("ad") & bit["ad"] and hints("x-ad-y") & bit["ad"] and not hints("shadow") & bit["ad"]
    assert hints("qzx") == 0


PARTS = st.sampled_from([*"|".join(GROUPS.values()).split("|"), "-", " ", "article", "x"])


@given(st.lists(PARTS, max_size=6).map("".join))
def test_names_say_what_a_search_for_each_word_finds(names: str) -> None:
    spaced = f" {names[:300].lower().replace('-', ' ').replace('_', ' ')} "
    found = sum(1 << place for place, words in enumerate(GROUPS.values()) if any(word in spaced for word in words.split("|")))
    assert hints(names) == found


def test_nesting_and_elements_are_counted_and_counting_ends_at_the_bound() -> None:
    found = walk(parse("<div>" * 50 + "<p><b>x</b></p>"), 1000)
    assert found.deepest >= 51 and found.elements >= 52
    assert walk(parse("<p>x</p>" * 5000), 100).elements == 101


TAGS = ["p", "div", "b", "a", "ul", "li", "pre", "section", "h2", "blockquote"]
BODIES = st.recursive(
    st.text("ab c\n", min_size=1, max_size=8),
    lambda inner: st.tuples(st.sampled_from(TAGS), st.lists(inner, max_size=4)).map(
        lambda made: f"<{made[0]}>{''.join(made[1])}</{made[0]}>"
    ),
    max_leaves=25,
)


@given(BODIES)
def test_no_text_is_lost_or_doubled_and_containers_nest(body: str) -> None:
    root: Any = parse(f"<html><body>{body}</body></html>")
    found = walk(root)
    assert "".join("".join(found.text).split()) == "".join("".join(root.itertext()).split())
    for place, up in enumerate(found.parent):
        assert found.first[up] <= found.first[place] <= found.end[place] <= found.end[up] or place == 0
    for place, container in enumerate(found.container):
        assert found.first[container] <= place < found.end[container]
    if found.text:
        values, weight, intervals = measures(found, "")
        assert values.shape[0] == len(weight) == len(found.text) and bool((abs(values) < 1e6).all())
        assert all(((first <= range(len(weight))) & (end > range(len(weight)))).all() for first, end in intervals)
