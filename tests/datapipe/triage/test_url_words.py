"""Addresses of adult and gambling sites, and those that only look like them; all of them made up."""

from __future__ import annotations

import pytest

from datapipe.config import TriageBounds
from datapipe.triage.url_words import url_words

BAD = [
    "http://free-porn-tube.example/watch/12",
    "http://hotpornclips.example/",
    "https://www.best-casino-bonus.example/slots",
    "http://mycasino777.example/",
    "http://poker-betting.example/",
    "http://photos.example/xxx/milf/12.html",
    "http://sexcams24.example/",
    "http://example.example/%E8%89%B2%E6%83%85/%E5%8D%9A%E5%BD%A9/1.html",
    "http://bocai-wang.example/",
    "http://adult-webcams.example/",
]
GOOD = [
    "http://www.sussex.example/history",
    "http://essexnews.example/police",
    "http://news.example/2024/casino-law-passed",
    "http://health.example/sex-education",
    "http://library.example/adult-learning/courses",
    "http://chess.example/slots-and-tables",
    "http://math.example/gambling-ruin-problem",
    "http://news.example/lottery-winner-bets-on-charity",
    "http://sports.example/poker",
    "http://paper.example/%E5%BD%A9%E7%A5%A8%E7%AE%A1%E7%90%86",
    "http://alphabet.example/betting",
    "http://www.tourism-pornic.example/",
    "http://siriporn.example/",
    "http://judi-smith.example/",
]


@pytest.mark.parametrize("url", BAD)
def test_addresses_of_such_sites_break_the_bound(url: str) -> None:
    bound = TriageBounds().url_words
    assert bound is not None and bound.broken_by(url_words(url)) == bound.max


@pytest.mark.parametrize("url", GOOD)
def test_other_addresses_do_not(url: str) -> None:
    bound = TriageBounds().url_words
    assert bound is not None and bound.broken_by(url_words(url)) is None


def test_each_word_counts_once_and_more_in_the_host() -> None:
    assert url_words("http://a.example/poker/poker/poker") == 0.25
    assert url_words("http://poker.example/poker") == 0.5
    assert url_words("http://a.example/porn") == 0.5
    assert url_words("http://porn.example/") == 1.0
    assert url_words("http://[bad") == 0.0
