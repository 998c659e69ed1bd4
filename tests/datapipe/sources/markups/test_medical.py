"""Consultations: what was asked and what was advised."""

from __future__ import annotations

from datapipe.sources.markups import medical


def test_a_consultation_loses_its_courtesies_and_keeps_its_advice() -> None:
    text = "头疼怎么办？\n\n多休息，少熬夜。感谢您的进行咨询，期望我的解释对你有所帮助。祝您早日康复！"
    assert medical.to_text(text) == "头疼怎么办？\n\n多休息，少熬夜。"
    assert medical.to_text("希望这种药对你有所帮助的说法没有根据。") == "希望这种药对你有所帮助的说法没有根据。"
