"""Phrases in lines, by place and by share."""

import numpy as np

from datapipe.text.phrases import begins, ends, lines_with, occurrences, on_lines
from datapipe.text.view import TextView


def test_a_phrase_begins_and_ends_lines_as_whole_words_only() -> None:
    view = TextView.of(["Sign in to go on", "Sign in", "We sign in here", "Read more …", "Read moreover", "sign inn"])
    assert begins(view, ["sign in"]).tolist() == [True, True, False, False, False, False]
    assert ends(view, ["read more", "sign in"]).tolist() == [False, True, False, True, False, False]


def test_occurrences_add_up_over_phrases() -> None:
    view = TextView.of(["版权所有 编辑：王五", "nothing"])
    assert occurrences(view, ["版权所有", "编辑："]).tolist() == [2, 0]


def test_only_chosen_lines_are_measured() -> None:
    view = TextView.of(["Cookies are good\nno cookies\nnothing"])
    chosen = lines_with(view, ["cookies"])
    assert chosen.tolist() == [True, True, False]
    assert on_lines(view, chosen, lambda lines: begins(lines, ["cookies"]).astype(float)).tolist() == [1, 0, 0]
    assert on_lines(view, np.zeros(3, bool), lambda lines: np.ones(len(lines))).tolist() == [0, 0, 0]
