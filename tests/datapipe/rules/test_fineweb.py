"""FineWeb's rules for pages."""

import pytest

from datapipe.rules.fineweb import newlines_per_word, punctuated_lines
from datapipe.text.view import TextView
from tests.datapipe.rules.pages import CHINESE, ENGLISH, broken

SHORT_LINES = "\n".join(f"A short line, number {n}." for n in range(40))


@pytest.mark.parametrize(
    ("rule", "page"),
    [
        ("fineweb.punctuated_lines", ENGLISH.replace(".", "").replace("?", "").replace('"', "")),
        ("fineweb.short_lines", SHORT_LINES),
        ("fineweb.duplicate_line_characters", ENGLISH + ENGLISH.split("\n")[0] + "\n"),
        ("fineweb.newlines_per_word", "\n".join("one two three." for _ in range(30))),
    ],
)
def test_each_rule_fires_on_a_page_made_for_it(rule: str, page: str) -> None:
    assert broken(page, rule)
    assert not broken(ENGLISH, rule)


def test_lines_without_an_end_are_a_fault_in_chinese_too() -> None:
    assert broken(CHINESE.replace("。", "").replace("”", ""), "fineweb.punctuated_lines", "zh")
    assert not broken(CHINESE, "fineweb.punctuated_lines", "zh")


def test_a_table_cell_that_holds_an_article_ends_as_the_article_does() -> None:
    assert punctuated_lines(TextView.of(["| A sentence in a cell. |", "| 12 | 13 |"])).tolist() == [1, 0]


def test_blank_lines_are_no_line_breaks() -> None:
    assert newlines_per_word(TextView.of(["one\n\n\n\ntwo"]))[0] == 0.5
