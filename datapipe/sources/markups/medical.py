"""Consultations (Chinese question-and-answer sites): the polite sentences that end thousands of answers go."""

from __future__ import annotations

import re

_YOU = "[您你]"
_COURTESY = re.compile(
    rf"(?<=[。！!？?\n])[^。！!？?\n]{{0,12}}(?:"
    rf"感谢{_YOU}的?(?:进行)?咨询"
    rf"|(?:期望|希望|盼望)(?:我的|以上|上述|我)?(?:的)?(?:解释|回答|建议|解答|意见|回复)[^。！!\n]{{0,8}}(?:帮助|帮到{_YOU})"
    rf"|祝{_YOU}?(?:身体)?(?:早日康复|健康|生活愉快)"
    rf"|以上是对[^。！!\n]{{0,40}}(?:问题的(?:建议|解答|回答)|的建议)"
    r"|如(?:果)?还有(?:其他|什么)?(?:问题|疑问)[^。！!\n]{0,20}"
    r")[^。！!？?\n]{0,20}[。！!]?"
)


def to_text(text: str) -> str:
    """What was asked and what was advised."""
    text = text.replace("\r\n", "\n")
    while (shorter := _COURTESY.sub("", text)) != text:
        text = shorter
    return text.strip("\n")
