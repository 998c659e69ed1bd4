"""Questions with lettered choices, of which the letter is the answer: MMLU, CMMLU, C-Eval."""

from __future__ import annotations

import re
from collections.abc import Mapping

from trainer.evaluate.benchmarks.item import Item

LETTERS = "ABCDE"
COLUMNS = ["question", "A", "B", "C", "D", "answer"]


def lettered(key: str, row: Mapping[str, str], subject: str, answer: str) -> Item:
    """A row with a question, choices (columns A to E, or choice0 to choice4) and the right one (its letter or number).

    `answer` is the word before the letter.
    """
    question = (row.get("question") or row.get("Question") or "").strip()
    choices = [row[name] for name in row if re.fullmatch(r"[A-E]|choice\d", name) and row[name] != ""]
    given = (row.get("answer") or row.get("Answer") or "").strip()
    right = int(given) if given.isdigit() else LETTERS.index(given)
    prompt = "\n".join([question, *(f"{letter}. {choice}" for letter, choice in zip(LETTERS, choices, strict=False)), answer])
    options = tuple(f" {letter}" for letter in LETTERS[: len(choices)])
    return Item(key, (prompt,), options, (right,), shown=prompt + options[right], subject=subject)
