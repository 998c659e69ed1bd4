"""TruthfulQA, multiple true: how much of the answers' probability falls on true ones (the leaderboard's mc2).

"Zero-shot" here stands behind six fixed questions with answers, which belong to the benchmark; they are taken from the
harness's own task file.
"""

from __future__ import annotations

import jinja2

from trainer.evaluate.benchmarks.files import Folder
from trainer.evaluate.benchmarks.item import Benchmark, Item, Loaded
from trainer.evaluate.benchmarks.sets._harness import task_file


def load(folder: Folder) -> Loaded:
    """A CSV with Question, Correct Answers and Incorrect Answers, answers separated by semicolons."""
    template = jinja2.Template(task_file("truthfulqa/truthfulqa_mc1.yaml")["doc_to_text"])
    items = []
    for _, number, row in folder.rows(r"TruthfulQA\.csv", ["Question"]):
        true, false = _answers(row["Correct Answers"]), _answers(row["Incorrect Answers"])
        options = tuple(f" {answer}" for answer in (*true, *false))
        prompt = template.render(question=row["Question"].strip())
        items.append(Item(str(number), (prompt,), options, tuple(range(len(true)))))
    return Loaded(items)


def _answers(cell: str) -> list[str]:
    """Each answer once, ended by a full stop as in the benchmark's own preparation."""
    found = [answer.strip() for answer in cell.split(";") if answer.strip()]
    return list(dict.fromkeys(answer if answer.endswith(".") else f"{answer}." for answer in found))


BENCHMARK = Benchmark("truthfulqa", "TruthfulQA", "english", 0, "mc2", load, "behind the benchmark's six fixed answers")
