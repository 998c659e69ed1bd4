"""The Chinese set."""

import pytest

from datapipe.rules.chinese import entropy, han_share
from datapipe.text.view import TextView
from tests.datapipe.rules.pages import CHINESE, broken, only_that_line_goes


@pytest.mark.parametrize(
    ("rule", "page"),
    [
        ("chinese.characters", CHINESE[:120]),
        ("chinese.han_share", CHINESE + " ship name port" * 400),
        ("chinese.letters", CHINESE.replace("，", "★★★★★★★★★★★★★★★★★★")),
        ("chinese.mean_line_length", "\n".join(CHINESE[n : n + 4] for n in range(0, 400, 4))),
        ("chinese.punctuation", "首页新闻体育财经娱乐房产汽车教育旅游健康" * 12),
        ("chinese.bracket_titles", CHINESE.replace("，", "【】【】【】")),
        ("chinese.entropy", "春风化雨" * 100),
        ("chinese.duplicate_13grams", CHINESE * 3),
        ("gopher.mean_word_length", "我们 internationalisation " * 60),
    ],
)
def test_each_rule_fires_on_a_page_made_for_it(rule: str, page: str) -> None:
    assert broken(page, rule, "zh")
    assert not broken(CHINESE, rule, "zh")


def test_an_english_term_weighs_as_much_as_a_chinese_character() -> None:
    assert han_share(TextView.of(["用 systemctl 命令", "abc", ""])).tolist() == [0.75, 0, 0]


def test_entropy_is_in_bits_and_by_document() -> None:
    assert entropy(TextView.of(["天地玄黄", "天天天天", "", "天地 天地"])).tolist() == [2, 0, 0, 1]


def test_a_line_of_marks_alone_is_taken_out() -> None:
    assert only_that_line_goes("chinese.bare_line", "——（）——", "zh")
