"""HumanEval: functions to be written from their signature and docstring; the unbiased pass@k over n samples of each."""

from __future__ import annotations

from trainer.evaluate.benchmarks.files import Folder
from trainer.evaluate.benchmarks.item import Benchmark, Item, Loaded


def load(folder: Folder) -> Loaded:
    """Records {task_id, prompt, entry_point, test}."""
    items = []
    for _, record in folder.json(r"HumanEval\.jsonl"):
        tests = f"{record['test']}\ncheck({record['entry_point']})\n"
        items.append(Item(record["task_id"], (record["prompt"],), answer=tests))
    return Loaded(items)


BENCHMARK = Benchmark(
    "humaneval", "HumanEval", "english", 0, "pass", load, "generated programs run in a sandbox, only when asked",
    stops=("\nclass ", "\ndef ", "\n#", "\nif ", "\nprint(", "\n@", "\n```"), tokens=384, extract=str,
)  # fmt: skip
