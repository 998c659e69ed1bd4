"""Statutes and judgments (Chinese, as text or Markdown): the law stays, the list of its chapters and what offices add goes."""

from __future__ import annotations

import re

from datapipe.sources.markups import markdown
from datapipe.sources.markups.furniture import without_contents, without_page_numbers

_DATE = (
    r"(?:[〇○零一二三四五六七八九十\d]{2,4}\s*年\s*[一二三四五六七八九十元\d]{1,3}\s*月\s*[一二三四五六七八九十\d]{1,3}\s*日)"
)
_OFFICES = "审判长 审判员 陪审员 法官助理 执行员 书记员"
_SPACED = "|".join(r"\s*".join(office) for office in _OFFICES.split())
_BENCH = rf"(?:代理|助理|人民)?(?:{_SPACED})[^\n]{{0,40}}"
_NAMED = re.compile(rf"\s*{_BENCH}")
_SIGNED = re.compile(rf"[ \t\u3000]*(?:{_BENCH}|{_DATE}|本件与原本核对无异)?[ \t\u3000]*")
_OFFICE = re.compile(
    r"^[ \t\u3000]*(?:【?(?:法宝引证码|发布部门|效力级别|时效性|发文字号|法规类别"
    r"|信息来源|来源|打印|字号|分享到|浏览次数)】?\s*[:：][^\n]{0,60}"
    r"|本件与原本核对无异|\(?此页无正文\)?|（此页无正文）)[ \t]*$\n?",
    re.MULTILINE,
)


def to_text(text: str) -> str:
    """Articles and reasons; who signed a judgment, where a copy was found and page numbers go."""
    text = without_page_numbers(markdown.to_text(text))
    text = _OFFICE.sub("", without_contents(text))
    return _unsigned(text.rstrip().split("\n"))


def _unsigned(lines: list[str]) -> str:
    """Without the last lines as long as they are names of the bench, a date, or empty; at least one must be a name."""
    end = len(lines)
    while end and len(lines[end - 1]) <= 60 and _SIGNED.fullmatch(lines[end - 1]):
        end -= 1
    signed = any(_NAMED.match(line) for line in lines[end:])
    return "\n".join(lines[:end] if signed else lines).strip("\n")
