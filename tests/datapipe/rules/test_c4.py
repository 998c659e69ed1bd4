"""C4's rules for pages and for lines."""

import pytest

from datapipe.rules.c4 import sentences, terminal_punctuation
from datapipe.text.view import TextView
from tests.datapipe.rules.pages import ENGLISH, broken, left, only_that_line_goes


@pytest.mark.parametrize(
    ("rule", "page"),
    [
        ("c4.sentences", ENGLISH.replace(".", ",").replace("\n", " ")),
        ("c4.curly_brackets", ENGLISH.replace(" the ", " { the } ")),
        ("c4.lorem_ipsum", ENGLISH + "Lorem ipsum dolor sit amet and so on.\n"),
    ],
)
def test_each_rule_fires_on_a_page_made_for_it(rule: str, page: str) -> None:
    assert broken(page, rule)
    assert not broken(ENGLISH, rule)


@pytest.mark.parametrize(
    ("rule", "line"),
    [
        ("c4.javascript", "Please enable JavaScript in your browser to see this page properly"),
        ("c4.policy", "By going on you accept our privacy policy and the terms of use"),
        ("c4.line_words", "Two words"),
        ("c4.longest_word", "x" * 1001 + " is one word of a line with four words."),
    ],
)
def test_a_line_is_taken_out_for_its_reason(rule: str, line: str) -> None:
    assert only_that_line_goes(rule, line)


@pytest.mark.parametrize("line", ["JavaScript is a language that many people learn first.", "He left."])
def test_prose_about_such_things_stays(line: str) -> None:
    assert line in left(f"{ENGLISH}{line}\n")


def test_sentences_end_at_terminal_marks_before_space_or_quotation_and_anywhere_in_chinese() -> None:
    texts = ["One. Two! “Three?” v3.14 e.g. x", "一。二！三？四……五", "no end", "Wait... what?!"]
    assert sentences(TextView.of(texts)).tolist() == [4, 4, 0, 2]


def test_a_line_ends_in_terminal_punctuation_or_what_closes_after_it() -> None:
    lines = ["One.", "Two", "Three?", "“Four!”", "Five,", "六。", "七"]
    assert terminal_punctuation(TextView.of(["\n".join(lines)])).tolist() == [1, 0, 1, 1, 0, 1, 0]
