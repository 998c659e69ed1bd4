"""Gopher's rules fire on pages made for them, for their reason, and on no good page."""

import pytest

from datapipe.rules.gopher import bullet_lines, ellipses_per_word, stop_words
from datapipe.text.view import TextView
from tests.datapipe.rules.pages import CHINESE, ENGLISH, broken, verdict


def test_good_pages_stay() -> None:
    assert verdict(ENGLISH, "en") is None
    assert verdict(CHINESE, "zh") is None


def test_a_page_of_bullets_is_removed_for_its_bullets() -> None:
    lines = ENGLISH.replace("\n\n", "\n").splitlines()
    found = verdict("\n".join(f"- {line}" for line in lines))
    assert found is not None
    assert (found.rule, found.measure, found.bound) == ("gopher.bullet_lines", 1.0, 0.9)


@pytest.mark.parametrize(
    ("rule", "page"),
    [
        ("gopher.words", "Too short a page to say anything. It ends here."),
        ("gopher.mean_word_length", " ".join(f"compartmentalisation{n}of it" for n in range(40)).replace(" ", "") + " a"),
        ("gopher.hashes_per_word", ENGLISH.replace(" the ", " #the #")),
        ("gopher.ellipses_per_word", ENGLISH.replace(" ", "... ")),
        ("gopher.ellipsis_lines", ENGLISH.replace("\n", " …\n")),
        ("gopher.alphabetic_tokens", ENGLISH.replace(" ", " 1 2 ")),
        ("gopher.stop_words", " ".join(f"Shop sofa {n} now." for n in range(80))),
    ],
)
def test_each_rule_fires_on_a_page_made_for_it(rule: str, page: str) -> None:
    assert broken(page, rule)
    assert not broken(ENGLISH, rule)


def test_a_dash_without_a_space_is_no_bullet() -> None:
    view = TextView.of(["- item\n• item\n-5 degrees\n–Oui, dit-elle\n* star\n*emphasis*"])
    assert bullet_lines(view)[0] == 0.5


def test_an_ellipsis_is_a_character_or_a_run_of_dots() -> None:
    measured = ellipses_per_word(TextView.of(["one ... two …", "one. two.. three", "a ...... b"]))
    assert measured.tolist() == [2 / 2, 0 / 3, 1 / 2]


def test_stop_words_are_counted_once_each_and_as_whole_words() -> None:
    assert stop_words(TextView.of(["The the THE of", "theory often beheld", "to be and have"])).tolist() == [2, 0, 4]
