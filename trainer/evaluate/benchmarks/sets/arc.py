"""ARC-Challenge: grade-school science questions, as the Open LLM Leaderboard asks them."""

from __future__ import annotations

from typing import Any

from trainer.evaluate.benchmarks.files import Folder
from trainer.evaluate.benchmarks.item import Benchmark, Item, Loaded


def load(folder: Folder) -> Loaded:
    """Records {query, choices, gold}; shots from a training file where there is one."""
    items = [_item(str(n), record) for n, (_, record) in enumerate(folder.json(r"arc_challenge(_test)?\.jsonl"))]
    shots = [_item("", record).shown for _, record in folder.json(r"arc_challenge_train\.jsonl", needed=False)]
    return Loaded(items, {"": shots} if shots else {})


def _item(key: str, record: dict[str, Any]) -> Item:
    prompt = f"Question: {record['query'].removeprefix('Question: ')}\nAnswer:"
    options = tuple(f" {choice}" for choice in record["choices"])
    return Item(key, (prompt,), options, (int(record["gold"]),), shown=prompt + options[int(record["gold"])])


BENCHMARK = Benchmark("arc", "ARC", "english", 25, "acc_norm", load, "the Challenge questions")
