"""Line rules take out what is no prose, and leave the sentences around it."""

import pytest

from datapipe.config import Bound
from datapipe.rules.judge import remove_lines
from datapipe.rules.refinedweb import removed_words
from datapipe.text.view import TextView
from tests.datapipe.rules.pages import CHINESE, ENGLISH, bounds, broken, left


@pytest.mark.parametrize(
    ("rule", "line"),
    [
        ("c4.javascript", "Please enable JavaScript in your browser to see this page properly"),
        ("c4.policy", "By going on you accept our privacy policy and the terms of use"),
        ("c4.line_words", "Two words"),
        ("c4.longest_word", "x" * 1001 + " is one word of a line with four words."),
        ("refinedweb.numeric", "2021-04-09 12:30 +3"),
        ("refinedweb.uppercase", "CLICK NOW FOR THE BEST DEALS OF THE WEEK"),
        ("refinedweb.counter", "1,204 comments"),
        ("refinedweb.navigation", "Sign in to your account"),
        ("refinedweb.navigation", "The whole story of the ferry: read more »"),
        ("refinedweb.navigation", "You have 3 items in cart today"),
        ("boilerplate.share", "Facebook Twitter LinkedIn Email Print"),
        ("boilerplate.cookies", "Bitte beachten Sie, dass diese Seite und unsere Partner verwenden Cookies"),
        ("boilerplate.rights", "© 2019 The Estuary Ferry Company and its partners"),
        ("boilerplate.crumbs", "Home > News > Local news > Ferries"),
        ("boilerplate.furniture", "Story continues below advertisement"),
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
        ("boilerplate.furniture_zh", "责任编辑：王小明"),
        ("boilerplate.furniture_zh", "来源：河口晚报 2021年4月9日"),
        ("boilerplate.furniture_zh", "上一篇 下一篇 返回首页"),
        ("boilerplate.furniture_zh", "您的浏览器不支持脚本"),
        ("boilerplate.furniture_zh", "相关阅读"),
        ("boilerplate.share", "分享到：微信 微博 QQ空间"),
        ("boilerplate.rights", "版权所有 © 2019 河口轮渡公司及其合作单位"),
        ("boilerplate.crumbs", "当前位置：首页 > 新闻 > 正文"),
        ("boilerplate.cookies", "本网站使用Cookie以便为您提供更好的浏览体验和内容推荐服务"),
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
        "She found that sharing a story on Facebook or Twitter changed nothing.",
        "The film was shown in 1984 and the copyright passed to the family in 1999, after a long trial in Paris.",
        "A > B > C follows from the lemma above",
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


REFERENCES = """References
[1] A. Smith and B. Jones. Ferries of the estuary. Journal of Boats, 12(3), 2004.
[2] C. Brown. Engines that sank twice. Harbour Press, 1998, pp. 12-19,
which was printed again in a small edition.
[3] https://ferries.example.org/timetable
"""


def test_a_list_of_references_goes_and_what_follows_it_stays() -> None:
    view, taken = remove_lines(TextView.of([ENGLISH + REFERENCES + ENGLISH]), {"references.entry": Bound(max=0)})
    assert view.text(0).replace("\n", "") == (ENGLISH + ENGLISH).replace("\n", "")
    assert taken["references.entry"].tolist() == [5]
    assert removed_words(view)[0] == 0


def test_a_chapter_called_references_is_no_list_of_them() -> None:
    text = ENGLISH + "References\n" + ENGLISH.replace("twice", "in 1968")
    assert remove_lines(TextView.of([text]), {"references.entry": Bound(max=0)})[0].text(0) == text
    chinese = CHINESE + "参考文献\n[1] 王五. 渡口的历史. 河口出版社, 1998.\n[2] 李四. 船的故事[J]. 2004.\n"
    assert left(chinese, "zh").strip() == CHINESE.strip()
