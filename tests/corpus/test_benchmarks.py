"""The thirteen sets as published: every item is read, and guessing scores what it should."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from trainer.evaluate.benchmarks.prompts import Prompter
from trainer.evaluate.benchmarks.score import load
from trainer.evaluate.benchmarks.sets import BENCHMARKS

ITEMS = {
    "arc": 1172, "hellaswag": 10042, "mmlu": 14042, "truthfulqa": 817, "winogrande": 1267, "gsm8k": 1319, "humaneval": 164,
    "bbh": 6511, "ceval": 1346, "cmmlu": 11582, "c3": 3892, "chid": 2002, "csl": 2838,
}  # fmt: skip
GROUPS = {"mmlu": 57, "bbh": 23, "ceval": 52, "cmmlu": 67}


@pytest.mark.corpus
@pytest.mark.parametrize("name", list(BENCHMARKS))
def test_every_item_of_a_published_set_is_read(name: str) -> None:
    folder = Path(os.environ["CORPUS"]) / "benchmarks"
    benchmark = BENCHMARKS[name]
    loaded = load(benchmark, str(folder))
    assert len(loaded.items) == ITEMS[name]
    if benchmark.macro:
        assert len({benchmark.group(item.subject) for item in loaded.items}) == GROUPS[name]
    prompter = Prompter(benchmark, loaded, benchmark.shots, "1", len, 1 << 20)
    for item in loaded.items[:: max(1, len(loaded.items) // 50)]:
        asked = prompter.ask(item)
        assert asked.shots == benchmark.shots and asked.item.prompts[0].endswith(item.prompts[0])
        assert not item.options or all(option for option in item.options)
