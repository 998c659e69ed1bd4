"""GSM8K: grade-school problems with a worked solution, of which the last number must be right."""

from __future__ import annotations

import re
from typing import Any

from trainer.evaluate.benchmarks.files import Folder
from trainer.evaluate.benchmarks.item import Benchmark, Item, Loaded


def load(folder: Folder) -> Loaded:
    """Records {question, answer}, the answer ending in '#### NUMBER'; shots from a training file where there is one."""
    items = [_item(str(number), record) for number, (_, record) in enumerate(folder.json(r"test\.jsonl"))]
    shots = [_item("", record).shown for _, record in folder.json(r"train\.jsonl", needed=False)]
    return Loaded(items, {"": shots} if shots else {})


def _item(key: str, record: dict[str, Any]) -> Item:
    prompt = f"Question: {record['question']}\nAnswer:"
    if not (number := number_of(record["answer"])):
        raise ValueError(f"record {key}: its answer has no number behind '#### '")
    return Item(key, (prompt,), answer=number, shown=f"{prompt} {record['answer']}")


def number_of(text: str) -> str:
    """The number behind the first '#### ', without commas and a final point; empty where there is none.

    The harness's strict match, and what its metric leaves aside.
    """
    found = re.search(r"#### (-?[0-9.,]+)", text)
    return found.group(1).replace(",", "").removesuffix(".") if found else ""


BENCHMARK = Benchmark(
    "gsm8k", "GSM8K", "english", 5, "exact", load, "the number behind ####, as the leaderboard reads it",
    stops=("Question:", "</s>", "<|im_end|>"), tokens=256, extract=number_of,
)  # fmt: skip
