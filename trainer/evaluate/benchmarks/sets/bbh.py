"""BIG-Bench Hard: 23 tasks in 27 files, each behind its three worked examples (chain of thought)."""

from __future__ import annotations

import re
from typing import Any

from trainer.evaluate.benchmarks.files import Folder
from trainer.evaluate.benchmarks.item import Benchmark, Item, Loaded

FEW = 4
"""Answers that are this few different words over a file are choices: True and False, valid and invalid."""


def load(folder: Folder) -> Loaded:
    """TASK.json {examples: [{input, target}]} and cot-prompts/TASK.txt: a canary, a line of dashes, what is asked, examples."""
    shots, above = {}, {}
    for task, text in folder.texts(r"cot-prompts/[^/]+\.txt"):
        blocks = re.split(r"\n\s*\n(?=Q: )", text.split("-----\n", 1)[-1].strip())
        above[task], shots[task] = blocks[0].strip(), [block.strip() for block in blocks[1:]]
    items = []
    for task, record in folder.json(r"[^/]+\.json"):
        kinds = len({example["target"] for example in record["examples"]})
        for number, example in enumerate(record["examples"]):
            prompt = f"Q: {example['input']}\nA: Let's think step by step."
            chance = _chance(example, kinds)
            items.append(Item(f"{task}#{number}", (prompt,), answer=example["target"], subject=task, chance=chance))
    return Loaded(items, shots, above)


def _chance(example: dict[str, Any], kinds: int) -> float:
    choices = len(re.findall(r"^\([A-Z]\) ", example["input"], re.MULTILINE))
    if re.fullmatch(r"\([A-Z]\)", example["target"]) and choices:
        return 1 / choices
    return 1 / kinds if kinds <= FEW else 0.0


def answer_of(text: str) -> str:
    """What stands behind 'the answer is', up to a full stop that ends the line."""
    found = re.search(r"the answer is +(.*)", text)
    return found.group(1).strip().rstrip(".").strip() if found else ""


def group(task: str) -> str:
    """Tasks with files of three, five and seven objects are one task."""
    return re.sub(r"_(three|five|seven)_objects$", "", task)


BENCHMARK = Benchmark(
    "bbh", "BBH", "english", 3, "exact", load, "chain of thought; mean over the 23 tasks", macro=True, group=group,
    stops=("\n\nQ:", "\nQ:"), tokens=1024, extract=answer_of,
)  # fmt: skip
