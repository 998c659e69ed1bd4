"""Scores: exact sums, main text above furniture on pages of our own, and a fit that learns what it is shown."""

from __future__ import annotations

import numpy as np

from datapipe.sources.page.blocks import walk
from datapipe.sources.page.fit import Example, Settings, fit, labels_by_passages, labels_by_text
from datapipe.sources.page.lines import lines
from datapipe.sources.page.parse import parse, title_of
from datapipe.sources.page.scores import networks, score
from tests.datapipe.sources.builders import SENTENCES

PAGE = f"""<html><head><title>A bridge</title></head><body>
<div class="nav"><ul><li><a href="/">Home</a></li>
<li><a href="/news">News</a></li><li><a href="/about">About us</a></li></ul></div>
<div class="content"><h1>A bridge</h1><p>{SENTENCES[0]}</p><p>{SENTENCES[1]}</p><p>{SENTENCES[2]}</p></div>
<div class="sidebar"><h3>Most read</h3><ul><li><a href="/1">Ten mills</a></li><li><a href="/2">Nine rivers</a></li></ul></div>
<div class="footer">Copyright 2020 Example. All rights reserved.</div></body></html>"""


def test_paragraphs_stand_above_menus_and_footers() -> None:
    found = walk(parse(PAGE))
    by_text = dict(zip(found.text, score(found, "A bridge").tolist(), strict=True))
    lowest = min(by_text[sentence] for sentence in SENTENCES)
    assert lowest > 0
    assert all(by_text[text] < 0 for text in ("Home", "News", "Ten mills", "Copyright 2020 Example. All rights reserved."))


def test_sums_are_exact_in_any_order() -> None:
    """Inputs are multiples of 1/64 and weights of 1/256, so no library's order of adding can change a score."""
    for network in networks():
        for part in (network.hidden, network.bias, network.out):
            assert np.array_equal(part * 256, np.round(part * 256))
        values = np.random.default_rng(0).normal(size=(40, len(network.centre)))
        inputs = network.inputs(values)
        order = np.random.default_rng(1).permutation(len(network.centre))
        assert np.array_equal(inputs @ network.hidden, inputs[:, order] @ network.hidden[order])


def test_labels_are_the_share_of_a_line_that_is_in_the_true_text() -> None:
    found = walk(parse(PAGE))
    labels, weights = labels_by_text(found, "A bridge\n" + SENTENCES[0] + "\n" + SENTENCES[1])
    by_text = dict(zip(found.text, labels.tolist(), strict=True))
    assert by_text["A bridge"] == by_text[SENTENCES[0]] == by_text[SENTENCES[1]] == 1
    assert by_text["Home"] == by_text["Ten mills"] == 0 and by_text[SENTENCES[2]] < 0.5
    labels, strong = labels_by_passages(found, [SENTENCES[2][:40]], ["Nine rivers"], "")
    assert labels[found.text.index(SENTENCES[2])] == 1 and strong[found.text.index("Nine rivers")] == 0.5


def test_a_fit_learns_what_it_is_shown_and_is_the_same_each_time() -> None:
    examples = []
    for number in range(8):
        root = parse(PAGE.replace("bridge", f"bridge{number}"))
        found = walk(root)
        truth = "\n".join(text for text in found.text if len(text) > 60)
        examples.append(Example(found, title_of(root), *labels_by_text(found, truth), group="one", fold=number % 2))
    small = Settings(members=2, first=4, second=4, rounds=60, decay=1e-6)
    first, again = fit(examples, small), fit(examples, small)
    assert all(np.array_equal(one.hidden, other.hidden) for one, other in zip(first, again, strict=True))
    from datapipe.sources.page.features import measures

    values = measures(examples[0].blocks, examples[0].title).values
    assert ((first[0](values) > 0) == (examples[0].labels > 0.5)).all()


def test_lines_mark_items_join_cells_and_leave_code_alone() -> None:
    table = "<table><tr><td>a</td><td>b</td></tr><tr><td>c</td><td>d</td></tr></table>"
    found = walk(parse(f"{table}<ul><li>one<br>more</li><li>two</li></ul><pre>x\n  y</pre>"))
    assert lines(found, range(len(found.text))) == "a | b\nc | d\n- one\nmore\n- two\nx\n  y"
