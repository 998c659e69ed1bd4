"""RefinedWeb's lines, and the page that loses too many."""

import pytest

from datapipe.rules.judge import remove_lines
from datapipe.rules.refinedweb import one_word, removed_words
from datapipe.text.view import TextView
from tests.datapipe.rules.pages import ENGLISH, bounds, broken, left, only_that_line_goes


@pytest.mark.parametrize(
    ("rule", "line", "language"),
    [
        ("refinedweb.numeric", "2021-04-09 12:30 +3", "en"),
        ("refinedweb.numeric", "2021-04-09 12:30", "zh"),
        ("refinedweb.uppercase", "CLICK NOW FOR THE BEST DEALS OF THE WEEK", "en"),
        ("refinedweb.counter", "1,204 comments", "en"),
        ("refinedweb.navigation", "Sign in to your account", "en"),
        ("refinedweb.navigation", "The whole story of the ferry: read more »", "en"),
        ("refinedweb.navigation", "You have 3 items in cart today", "en"),
    ],
)
def test_a_line_is_taken_out_for_its_reason(rule: str, line: str, language: str) -> None:
    assert only_that_line_goes(rule, line, language)


@pytest.mark.parametrize(
    "line",
    [
        "NASA and ESA met.",
        "In 1984 the price was 12 pounds and 40 pence.",
        "The counter showed that 14 people had commented on the plan to sign in at the gate before noon.",
    ],
)
def test_prose_about_such_things_stays(line: str) -> None:
    assert line in left(f"{ENGLISH}{line}\n")


def test_a_line_of_one_word_is_one() -> None:
    assert one_word(TextView.of(["Ferry\nThe ferry\n(Ferry!)"])).tolist() == [1, 0, 1]


def test_a_page_that_loses_too_many_words_goes() -> None:
    page = ENGLISH + "Please enable JavaScript in your browser to see this page properly\n" * 6
    assert broken(page, "refinedweb.removed_words")
    view, _ = remove_lines(TextView.of([ENGLISH, page]), bounds().of("WebText", "en").lines)
    assert removed_words(view)[0] == 0
    assert removed_words(view)[1] == pytest.approx(66 / (66 + len(TextView.of([ENGLISH]).words)))
