"""HellaSwag: which of four endings a passage has."""

from __future__ import annotations

import re

from trainer.evaluate.benchmarks.files import Folder
from trainer.evaluate.benchmarks.item import Benchmark, Item, Loaded


def load(folder: Folder) -> Loaded:
    """Six lines an item: context, number of the right ending, four endings; shots from a training file where there is one."""
    items = [item for _, text in folder.texts(r".*val.*\.txt") for item in _items(text)]
    shots = [item.shown for _, text in folder.texts(r".*train.*\.txt", needed=False) for item in _items(text)]
    return Loaded(items, {"": shots} if shots else {})


def _items(text: str) -> list[Item]:
    lines = text.strip().split("\n")
    found = []
    for start in range(0, len(lines) - 5, 6):
        prompt, right = _begun(lines[start].strip()), int(lines[start + 1])
        options = tuple(f" {ending.strip()}" for ending in lines[start + 2 : start + 6])
        found.append(Item(str(start // 6), (prompt,), options, (right,), shown=prompt + options[right]))
    return found


def _begun(context: str) -> str:
    """The sentence that the endings end begins with a small letter in these files; the harness writes a capital."""
    return re.sub(r"(?<=[.!?] )[a-z](?=[^.!?]*$)", lambda letter: letter[0].upper(), context)


BENCHMARK = Benchmark("hellaswag", "HellaSwag", "english", 10, "acc_norm", load, "the validation set")
