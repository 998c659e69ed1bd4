"""Ids back to text: behind other ids they are what they were, blanks at their beginning too."""

from __future__ import annotations

import pytest

from tests.trainer.metaspace import loaded, metaspace
from trainer.evaluate.ids import as_text, continuation, streamed

PROMPT, NEXT = "def twice(n):\n", "    return 2 * n\n    # so\n"


@pytest.mark.parametrize("prompt", [PROMPT, "", "  "])
def test_a_continuation_keeps_the_blanks_at_its_beginning(prompt: str) -> None:
    tokenizer = loaded(metaspace([PROMPT, NEXT]))
    (before,), (whole,) = as_text(tokenizer, [prompt]), as_text(tokenizer, [prompt + NEXT])
    new = whole[len(before) :]
    assert continuation(tokenizer, [2, *before], [*new, 2]) == NEXT
    said = list(streamed(tokenizer, [2, *before], iter([*new, 2])))
    assert "".join(said) == NEXT and len(said) > 10


def test_text_comes_in_whole_characters() -> None:
    class Bytes:
        """One id a byte, as byte-level tokenizers have for rare characters."""

        def decode(self, ids: list[int], **how: bool) -> str:
            return bytes(ids).decode("utf-8", "replace")

    assert list(streamed(Bytes(), b"a", iter("夜雨 b".encode()))) == ["夜", "雨", " ", "b"]
