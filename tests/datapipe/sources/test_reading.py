"""What is the same for all sources: one normal form of text."""

from __future__ import annotations

from datapipe.sources.reading import tidy


def test_all_text_has_one_form() -> None:
    assert tidy("a\r\nb \rc\u2028d\x00\u200b\ufeffe\n\n\n\nf\t\n\n") == "a\nb\nc\nde\n\nf"
    assert tidy("e\u0301") == "é"
