"""Lines that a site sets around its text go; prose about such things stays."""

import pytest

from tests.datapipe.rules.pages import CHINESE, ENGLISH, left, only_that_line_goes


@pytest.mark.parametrize(
    ("rule", "line", "language"),
    [
        ("boilerplate.share", "Facebook Twitter LinkedIn Email Print", "en"),
        ("boilerplate.cookies", "Bitte beachten Sie, dass diese Seite und unsere Partner verwenden Cookies", "en"),
        ("boilerplate.rights", "© 2019 The Estuary Ferry Company and its partners", "en"),
        ("boilerplate.crumbs", "Home > News > Local news > Ferries", "en"),
        ("boilerplate.furniture", "Story continues below advertisement", "en"),
        ("boilerplate.furniture_zh", "责任编辑：王小明", "zh"),
        ("boilerplate.furniture_zh", "来源：河口晚报 2021年4月9日", "zh"),
        ("boilerplate.furniture_zh", "上一篇 下一篇 返回首页", "zh"),
        ("boilerplate.furniture_zh", "您的浏览器不支持脚本", "zh"),
        ("boilerplate.furniture_zh", "相关阅读", "zh"),
        ("boilerplate.share", "分享到：微信 微博 QQ空间", "zh"),
        ("boilerplate.rights", "版权所有 © 2019 河口轮渡公司及其合作单位", "zh"),
        ("boilerplate.crumbs", "当前位置：首页 > 新闻 > 正文", "zh"),
        ("boilerplate.cookies", "本网站使用Cookie以便为您提供更好的浏览体验和内容推荐服务", "zh"),
    ],
)
def test_a_line_is_taken_out_for_its_reason(rule: str, line: str, language: str) -> None:
    assert only_that_line_goes(rule, line, language)


@pytest.mark.parametrize(
    "line",
    [
        "She found that sharing a story on Facebook or Twitter changed nothing.",
        "The film was shown in 1984 and the copyright passed to the family in 1999, after a long trial in Paris.",
        "A > B > C follows from the lemma above",
    ],
)
def test_prose_about_such_things_stays(line: str) -> None:
    assert line in left(f"{ENGLISH}{line}\n")


def test_a_chinese_paragraph_about_copyright_stays() -> None:
    line = "他在书里写道，版权所有的声明最早出现在这家印刷厂的账本上，当时没有人知道这几个字后来会印在每一页的下面，"
    line += "也没有人为此付过钱，直到很多年以后，一位律师在清点仓库时发现了它们，并把这件事写进了一份报告里。"
    assert line in left(f"{CHINESE}{line}\n", "zh")
