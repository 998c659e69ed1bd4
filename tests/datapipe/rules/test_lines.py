"""Line rules take out what is no prose, and leave the sentences around it."""

import pytest

from datapipe.rules.judge import remove_lines
from datapipe.rules.refinedweb import removed_words
from datapipe.text.view import TextView
from tests.datapipe.rules.pages import CHINESE, ENGLISH, bounds, broken, left


@pytest.mark.parametrize(
    ("rule", "line"),
    [
        ("c4.javascript", "Please enable JavaScript in your browser to see this page properly"),
        ("c4.policy", "By going on you accept our privacy policy and the use of cookies"),
        ("c4.line_words", "Two words"),
        ("c4.longest_word", "x" * 1001 + " is one word of a line with four words."),
        ("refinedweb.numeric", "2021-04-09 12:30 +3"),
        ("refinedweb.uppercase", "CLICK NOW FOR THE BEST DEALS OF THE WEEK"),
        ("refinedweb.counter", "1,204 comments"),
        ("refinedweb.navigation", "Sign in to your account"),
        ("refinedweb.navigation", "The whole story of the ferry: read more »"),
        ("refinedweb.navigation", "You have 3 items in cart today"),
    ],
)
def test_an_english_line_is_taken_out_for_its_reason(rule: str, line: str) -> None:
    view, taken = remove_lines(TextView.of([f"{ENGLISH}{line}\n{ENGLISH}"]), bounds().of("WebText", "en").lines)
    assert {name: counts.tolist() for name, counts in taken.items()} == {rule: [1]}
    assert line not in view.text(0)
    assert view.text(0).replace("\n", "") == (ENGLISH + ENGLISH).replace("\n", "")


@pytest.mark.parametrize(
    ("rule", "line"),
    [
        ("chinese.boilerplate", "责任编辑：王小明"),
        ("chinese.boilerplate", "上一篇 下一篇 返回首页"),
        ("chinese.script_warning", "您的浏览器不支持脚本"),
        ("chinese.bare_line", "——（）——"),
        ("refinedweb.numeric", "2021-04-09 12:30"),
    ],
)
def test_a_chinese_line_is_taken_out_for_its_reason(rule: str, line: str) -> None:
    view, taken = remove_lines(TextView.of([f"{CHINESE}{line}\n{CHINESE}"]), bounds().of("WebText", "zh").lines)
    assert list(taken) == [rule]
    assert line not in view.text(0)


@pytest.mark.parametrize(
    "line",
    [
        "JavaScript is a language that many people learn first.",
        "He left.",
        "NASA and ESA met.",
        "In 1984 the price was 12 pounds and 40 pence.",
        "The counter showed that 14 people had commented on the plan to sign in at the gate before noon.",
    ],
)
def test_prose_about_such_things_stays(line: str) -> None:
    assert line in left(f"{ENGLISH}{line}\n")


def test_a_chinese_paragraph_about_copyright_stays() -> None:
    line = "他在书里写道，版权所有的声明最早出现在这家印刷厂的账本上，当时没有人知道这几个字后来会印在每一页的下面，"
    line += "也没有人为此付过钱，直到很多年以后，一位律师在清点仓库时发现了它们，并把这件事写进了一份报告里。"
    assert line in left(f"{CHINESE}{line}\n", "zh")


def test_a_page_that_loses_too_many_words_goes() -> None:
    page = ENGLISH + "Please enable JavaScript in your browser to see this page properly\n" * 6
    assert broken(page, "refinedweb.removed_words")
    view, _ = remove_lines(TextView.of([ENGLISH, page]), bounds().of("WebText", "en").lines)
    assert removed_words(view)[0] == 0
    assert removed_words(view)[1] == pytest.approx(66 / (66 + len(TextView.of([ENGLISH]).words)))


def test_no_bounds_and_nothing_invisible_leave_the_view_as_it_is() -> None:
    view = TextView.of([ENGLISH])
    assert remove_lines(view, {})[0] is view
    assert remove_lines(TextView.of(["zero\u200bwidth\ufeff"]), {})[0].text(0) == "zerowidth"
