"""CMMLU: 67 subjects of four choices about China, as in OpenCompass's cmmlu_ppl; the five shots are the dev questions.

The sentence above them names the subject in Chinese; the files have English names, so it is taken from the harness's own tasks.
"""

from __future__ import annotations

from trainer.evaluate.benchmarks.files import Folder
from trainer.evaluate.benchmarks.item import Benchmark, Item, Loaded
from trainer.evaluate.benchmarks.sets._harness import task_file
from trainer.evaluate.benchmarks.sets._letters import COLUMNS, lettered


def load(folder: Folder) -> Loaded:
    """CSV files dev/SUBJECT.csv and test/SUBJECT.csv."""
    shots: dict[str, list[str]] = {}
    for item in _read(folder, "dev"):
        shots.setdefault(item.subject, []).append(item.shown)
    items = _read(folder, "test")
    return Loaded(items, shots, {subject: _above(subject) for subject in {item.subject for item in items}})


def _above(subject: str) -> str:
    known = task_file(f"cmmlu/cmmlu_{subject}.yaml").get("description")
    return str(known or f"以下是关于{subject.replace('_', ' ')}的单项选择题，请直接给出正确答案的选项。").strip()


def _read(folder: Folder, split: str) -> list[Item]:
    rows = folder.rows(rf"{split}/[^/]+\.csv", COLUMNS)
    return [lettered(f"{split}/{subject}#{number}", row, subject, "答案：") for subject, number, row in rows]


BENCHMARK = Benchmark("cmmlu", "CMMLU", "chinese", 5, "acc", load, "mean over subjects", macro=True)
