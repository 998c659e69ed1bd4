"""A method and its description in one field."""

from __future__ import annotations

from datapipe.sources.markups import concode


def test_a_described_method_becomes_a_commented_one() -> None:
    text = "adds two concode_field_sep int a concode_elem_sep int b\n---\nint f ( ) { return a + b ; }"
    assert concode.to_text(text) == "/** adds two */\nint f ( ) { return a + b ; }"
