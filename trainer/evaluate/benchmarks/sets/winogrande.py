"""WinoGrande: which of two names a sentence speaks of, by the likelihood of its end behind either (partial evaluation)."""

from __future__ import annotations

from typing import Any

from trainer.evaluate.benchmarks.files import Folder
from trainer.evaluate.benchmarks.item import Benchmark, Item, Loaded


def load(folder: Folder) -> Loaded:
    """Records {context_options, continuation, gold}; shots from a training file where there is one."""
    items = [_item(str(n), record) for n, (_, record) in enumerate(folder.json(r"winogrande(_val)?\.jsonl"))]
    shots = [_item("", record).shown for _, record in folder.json(r"winogrande_train\.jsonl", needed=False)]
    return Loaded(items, {"": shots} if shots else {})


def _item(key: str, record: dict[str, Any]) -> Item:
    prompts, right = tuple(record["context_options"]), int(record["gold"])
    end = f" {record['continuation'].strip()}"
    return Item(key, prompts, (end,) * len(prompts), (right,), shown=prompts[right] + end)


BENCHMARK = Benchmark(
    "winogrande", "WinoGrande", "english", 5, "acc", load, "the validation set; the end of the sentence is scored"
)
