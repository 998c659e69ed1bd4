"""C4's and FineWeb's page rules, and those that hold for any text."""

import pytest

from datapipe.rules.c4 import sentences
from datapipe.rules.fineweb import newlines_per_word, punctuated_lines
from datapipe.text.view import TextView
from tests.datapipe.rules.pages import ENGLISH, broken

SHORT_LINES = "\n".join(f"A short line, number {n}." for n in range(40))


@pytest.mark.parametrize(
    ("rule", "page"),
    [
        ("c4.sentences", ENGLISH.replace(".", ",").replace("\n", " ")),
        ("c4.curly_brackets", ENGLISH.replace(" the ", " { the } ")),
        ("c4.lorem_ipsum", ENGLISH + "Lorem ipsum dolor sit amet and so on.\n"),
        ("fineweb.punctuated_lines", ENGLISH.replace(".", "").replace("?", "").replace('"', "")),
        ("fineweb.short_lines", SHORT_LINES),
        ("fineweb.duplicate_line_characters", ENGLISH + ENGLISH.split("\n")[0] + "\n"),
        ("fineweb.newlines_per_word", "\n".join("one two three." for _ in range(30))),
        ("text.garbled_characters", ENGLISH.replace("e", "\ufffd")),
        ("text.mojibake", ENGLISH.replace("'", "â€™").replace(",", "Ã© Ã¨")),
        ("text.characters", " \n "),
    ],
)
def test_each_rule_fires_on_a_page_made_for_it(rule: str, page: str) -> None:
    assert broken(page, rule)
    assert not broken(ENGLISH, rule)


def test_sentences_end_at_terminal_marks_before_space_or_quotation_and_anywhere_in_chinese() -> None:
    texts = ["One. Two! “Three?” v3.14 e.g. x", "一。二！三？四……五", "no end", "Wait... what?!"]
    assert sentences(TextView.of(texts)).tolist() == [4, 4, 0, 2]


def test_a_table_cell_that_holds_an_article_ends_as_the_article_does() -> None:
    assert punctuated_lines(TextView.of(["| A sentence in a cell. |", "| 12 | 13 |"])).tolist() == [1, 0]


def test_blank_lines_are_no_line_breaks() -> None:
    assert newlines_per_word(TextView.of(["one\n\n\n\ntwo"]))[0] == 0.5
