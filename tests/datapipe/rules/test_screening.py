"""Screening tells pages that sell from pages about the same subject; a kind's words count at most four times each."""

import pytest

from datapipe.rules.screening import contacts, gambling, links, odds
from datapipe.text.view import TextView
from tests.datapipe.rules.pages import CHINESE, ENGLISH, broken


@pytest.mark.parametrize(
    ("rule", "language", "page"),
    [
        ("screening.adult", "en", "Live sex cams, free porn and escorts, naked girls tonight."),
        ("screening.adult", "zh", "成人视频，无码高清，同城约炮，裸聊。"),
        ("screening.gambling", "zh", "线上赌场，真人荷官，注册送彩金，百家乐。"),
        ("screening.violence", "en", "Guns for sale, no background check, gore videos and how to kill."),
        ("screening.spam", "zh", "代开发票，加微信，货到付款，刷单日赚三百。"),
        ("screening.calls", "en", "Order now. Click here. Buy now. Call now."),
        ("screening.links", "en", "see http://a.example.org/b/c/d/e/f"),
    ],
)
def test_each_rule_fires_on_a_page_made_for_it(rule: str, language: str, page: str) -> None:
    assert broken(page, rule, language)
    assert not broken({"en": ENGLISH, "zh": CHINESE}[language], rule, language)


def test_one_word_repeated_counts_four_times() -> None:
    four, forty = gambling(TextView.of(["casino " * 4 + "word " * 36, "casino " * 40]))
    assert four == forty > 0


def test_words_of_courts_and_doctors_count_against_every_kind() -> None:
    alone, court = gambling(TextView.of(["the casino was full of poker", "the court convicted the casino for poker"]))
    assert alone > court


def test_a_contact_needs_a_number_or_a_name() -> None:
    measured = contacts(TextView.of(["加微信 dengta2020", "微信的消息推送", "QQ：123456789", "QQ was founded"]))
    assert (measured > 0).tolist() == [True, False, True, False]


def test_odds_stand_beside_words_of_betting_and_prices_are_none() -> None:
    measured = odds(TextView.of(["odds: home 1.85, away 2.10", "cups 1.85 and plates 2.10", "odds of $1.85"]))
    assert (measured > 0).tolist() == [True, False, False]


def test_links_are_shares_of_characters_and_end_where_chinese_begins() -> None:
    measured = links(TextView.of(["see ://x.y z", "", "none", "://www.a，网址在前"]))
    assert measured.tolist() == [6 / 12, 0, 0, 8 / 13]
