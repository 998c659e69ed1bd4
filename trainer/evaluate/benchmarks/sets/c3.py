"""C3: Chinese reading comprehension; the answers' texts are scored behind passage and question, as in OpenCompass's C3_ppl."""

from __future__ import annotations

from typing import Any

from trainer.evaluate.benchmarks.files import Folder
from trainer.evaluate.benchmarks.item import Benchmark, Item, Loaded


def load(folder: Folder) -> Loaded:
    """Lists of [passage or dialogue, questions {question, choice, answer}, key]: the test files, dialogue (d) and mixed (m)."""
    return Loaded([item for _, record in folder.json(r"c3-[dm]-test\.json") for entry in record for item in _items(entry)])


def _items(entry: Any) -> list[Item]:
    passage, questions, key = entry
    found = []
    for number, asked in enumerate(questions):
        prompt = "文章：{}\n问题：{}\n答案：".format("\n".join(passage), asked["question"])
        choices = tuple(asked["choice"])
        found.append(Item(f"{key}-{number}", (prompt,), choices, (choices.index(asked["answer"]),)))
    return found


BENCHMARK = Benchmark("c3", "C3", "chinese", 0, "acc_norm", load, "the test set; answers scored per character")
