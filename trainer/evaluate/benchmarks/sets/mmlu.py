"""MMLU: 57 subjects of four choices; the five shots of a subject are its dev questions, in order."""

from __future__ import annotations

from trainer.evaluate.benchmarks.files import Folder
from trainer.evaluate.benchmarks.item import Benchmark, Item, Loaded
from trainer.evaluate.benchmarks.sets._letters import COLUMNS, lettered


def load(folder: Folder) -> Loaded:
    """CSV files dev/SUBJECT_dev.csv and test/SUBJECT_test.csv."""
    items, shots = _read(folder, "test"), _read(folder, "dev")
    by_subject: dict[str, list[str]] = {}
    for item in shots:
        by_subject.setdefault(item.subject, []).append(item.shown)
    above = {
        subject: f"The following are multiple choice questions (with answers) about {subject.replace('_', ' ')}."
        for subject in {item.subject for item in items}
    }
    return Loaded(items, by_subject, above)


def _read(folder: Folder, split: str) -> list[Item]:
    found = []
    for stem, number, row in folder.rows(rf"{split}/.*_{split}\.csv", COLUMNS):
        found.append(lettered(f"{split}/{stem}#{number}", row, stem.removesuffix(f"_{split}"), "Answer:"))
    return found


BENCHMARK = Benchmark("mmlu", "MMLU", "english", 5, "acc", load, "mean over subjects", macro=True)
