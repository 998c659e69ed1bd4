"""Questions with lettered choices, of which the letter is the answer: MMLU, CMMLU, C-Eval."""

from __future__ import annotations

import re
from collections.abc import Mapping

from trainer.evaluate.benchmarks.item import Item

LETTERS = "ABCDE"
COLUMNS = ["question", "A", "B", "C", "D", "answer"]


def lettered(key: str, row: Mapping[str, str], subject: str, answer: str) -> Item:
    """A row with a question, choices (columns A to E, or choice0 to choice4) and the right one (its letter or number).

    `answer` is the word before the letter. Raises ValueError with the `key` where the right one is none of the choices.
    """
    cells = {name.strip().lower(): value for name, value in row.items()}
    question = cells.get("question", "").strip()
    choices = [cells[name] for name in cells if re.fullmatch(r"[a-e]|choice\d", name)]
    while choices and choices[-1] == "":  # a row of four in a table of five; an empty one between others keeps its letter
        choices.pop()
    known, given = list(LETTERS[: len(choices)]), cells.get("answer", "").strip()
    right = int(given) if given.isdecimal() else known.index(given) if given in known else -1
    if not 0 <= right < len(choices):
        raise ValueError(f"{key}: its answer '{given}' is none of its {len(choices)} choices")
    prompt = "\n".join([question, *(f"{letter}. {choice}" for letter, choice in zip(LETTERS, choices, strict=False)), answer])
    options = tuple(f" {letter}" for letter in LETTERS[: len(choices)])
    return Item(key, (prompt,), options, (right,), shown=prompt + options[right], subject=subject)
