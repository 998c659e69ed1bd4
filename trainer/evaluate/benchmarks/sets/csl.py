"""CSL: whether keywords are all an abstract's own, by whether they are likelier than its text, as in FewCLUE_csl_ppl."""

from __future__ import annotations

from typing import Any

from trainer.evaluate.benchmarks.files import Folder
from trainer.evaluate.benchmarks.item import Benchmark, Item, Loaded


def load(folder: Folder) -> Loaded:
    """Records {id, abst, keyword, label} of test_public; label 1: all keywords are real."""
    return Loaded([_item(record) for _, record in folder.json(r"test_public\.json")])


def _item(record: dict[str, Any]) -> Item:
    abstract = f"摘要：{record['abst']}"
    options = (abstract, f"{abstract}\n关键词：{'，'.join(record['keyword'])}")
    return Item(str(record["id"]), ("",), options, (int(record["label"]),))


BENCHMARK = Benchmark(
    "csl", "CSL", "chinese", 0, "acc_bytes", load,
    "FewCLUE's public test; the abstract with its keywords against the abstract alone, likelihood per byte",
)  # fmt: skip
