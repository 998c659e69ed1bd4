"""Pages that cannot survive break a cheap bound, pages that can do not."""

from __future__ import annotations

import math

import pytest

from datapipe.config import Bound, TriageBounds
from datapipe.text.language import LANGUAGES
from datapipe.triage.cheap import cheap_text
from datapipe.triage.measures import Look, judge, link_share, own_script, scripts, sentences, stop_words, words
from tests.datapipe.sources.builders import CHINESE, SENTENCES, page

GREEK = "Το ποτάμι φούσκωσε τη νύχτα και παρέσυρε την ξύλινη γέφυρα πριν το καταλάβει κανείς στο χωριό. "
TURKISH = (
    "Gece boyunca yükselen ırmak, köyde kimse fark etmeden önce tahta köprüyü alıp götürdü ve değirmenci sabah kıyıda yürüdü. "
)


def look(html: str, languages: tuple[str, ...] = LANGUAGES, url: str = "http://a.example/") -> Look:
    return Look(url, cheap_text(html), languages)


def rule(html: str, languages: tuple[str, ...] = LANGUAGES) -> str | None:
    verdict = judge(look(html, languages), TriageBounds(), of_address=False)
    return verdict.rule if verdict else None


@pytest.mark.parametrize("paragraphs", [SENTENCES, CHINESE * 3])
def test_ordinary_pages_stay(paragraphs: tuple[str, ...]) -> None:
    assert rule(page(paragraphs)) is None


def test_pages_that_cannot_survive_go_by_the_measure_that_says_so() -> None:
    assert rule(page(["Log in to go on."])) == "triage.words"
    assert rule(page([GREEK] * 8)) == "triage.own_script"
    assert rule(page([TURKISH] * 8)) == "triage.foreign_language"
    assert rule(page([CHINESE[0]] * 8), ("en",)) == "triage.own_script"
    assert rule(page([SENTENCES[0]] * 8), ("zh",)) == "triage.own_script"
    assert rule("<ul>" + "<li>Blue chair 12 EUR</li>" * 60 + "</ul>") == "triage.sentences"
    assert rule("".join(f"<a href='/{n}'>Page number {n} is here. And more.</a>" for n in range(60))) == "triage.link_share"
    assert rule(page(["cheap fares flights hotels deals now online best. Buy tickets today!"] * 9)) == "triage.stop_words"


def test_no_language_is_discarded_where_all_may_stay_or_it_is_given() -> None:
    assert rule(page([GREEK] * 8), ()) is None
    assert math.isnan(own_script(look(page([GREEK] * 8), ())))


def test_measures_have_their_values() -> None:
    made = look("<p>One two. 三四五！</p><a>six</a>")
    assert words(made) == 6.0
    assert sentences(made) == 2.0
    assert link_share(made) == pytest.approx(3 / len("One two. 三四五！ six"))
    assert stop_words(look(page(SENTENCES))) >= 2
    assert math.isnan(stop_words(look(page(CHINESE * 5))))
    assert scripts(("en", "ja", "sr")) == ["cyrillic", "han", "kana", "latin"]


def test_a_bound_that_is_null_holds_nobody() -> None:
    tiny = look(page(["Log in."]))
    assert judge(tiny, TriageBounds(words=None, sentences=None, stop_words=None), of_address=False) is None
    verdict = judge(tiny, TriageBounds(words=Bound(min=30)), of_address=False)
    assert verdict is not None and (verdict.measure, verdict.bound) == (words(tiny), 30)
