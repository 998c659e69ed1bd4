"""Gopher's repetition rules."""

import pytest

from datapipe.rules.judge import measure
from datapipe.rules.registry import PAGE_RULES
from datapipe.text.view import TextView
from tests.datapipe.rules.pages import CHINESE, ENGLISH, broken

RULES = [name for name in PAGE_RULES if name.startswith("repetition.")]


def measured(text: str, rule: str) -> float:
    return float(measure(TextView.of([text]), [rule])[rule][0])


def test_lines_and_paragraphs_count_from_their_second_occurrence() -> None:
    text = "same line\nother\nsame line\nsame line\n\nparagraph\n\nparagraph"
    assert measured(text, "repetition.duplicate_lines") == pytest.approx(3 / 6)
    assert measured(text, "repetition.duplicate_line_characters") == pytest.approx(27 / 50)
    assert measured(text, "repetition.duplicate_paragraphs") == pytest.approx(1 / 3)
    assert measured("a\n\nb\n\na", "repetition.duplicate_paragraph_characters") == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("rule", "page"),
    [
        ("repetition.duplicate_lines", ENGLISH + "The ferry was late again this morning.\n" * 12),
        ("repetition.duplicate_line_characters", ENGLISH + ENGLISH.split("\n")[0].join(["\n"] * 8)),
        ("repetition.duplicate_paragraphs", "\n\n".join([ENGLISH.split("\n\n")[0]] * 3)),
        ("repetition.duplicate_paragraph_characters", "\n\n".join([ENGLISH.split("\n\n")[0]] * 3)),
        ("repetition.top_2gram", ENGLISH + " Cheap ferries" * 40),
        ("repetition.top_3gram", ENGLISH + " Cheap ferries here" * 40),
        ("repetition.top_4gram", ENGLISH + " Cheap ferries here today" * 40),
        *((f"repetition.duplicate_{n}grams", ENGLISH + ENGLISH[: len(ENGLISH) // 2]) for n in range(5, 11)),
    ],
)
def test_each_rule_fires_on_a_page_made_for_it(rule: str, page: str) -> None:
    assert broken(page, rule)
    assert not broken(ENGLISH, rule)


def test_a_chinese_page_that_says_everything_twice_is_removed_for_it() -> None:
    assert broken(CHINESE + CHINESE, "repetition.duplicate_10grams", "zh")
    assert not broken(CHINESE, "repetition.duplicate_10grams", "zh")


def test_all_shares_lie_between_none_and_all() -> None:
    for text in ("", "x", "ha " * 200, "哈" * 200, "\n\n".join(["same"] * 50), ENGLISH, CHINESE):
        for rule in RULES:
            assert 0 <= measured(text, rule) <= 1, (rule, text[:20])
