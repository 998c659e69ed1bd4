"""What a benchmark consists of: its items, how they are asked and how an answer is judged.

A benchmark is one file in `sets/`: a function from a folder to its items, and a `Benchmark` that names shots and metric.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from trainer.evaluate.benchmarks.files import Folder

Metric = Literal["acc", "acc_norm", "acc_bytes", "mc2", "exact", "pass"]
"""acc: the option with the highest likelihood; acc_norm: the same per character, as the harness has it; acc_bytes: per UTF-8
byte; mc2: the share of the options' probability that falls on right ones; exact: the answer taken out of generated text;
pass: the unbiased estimate that one of k generated programs passes its tests."""

NAMES = {
    "acc": "accuracy",
    "acc_norm": "accuracy, likelihood per character",
    "acc_bytes": "accuracy, likelihood per byte",
    "mc2": "probability of the true answers",
    "exact": "exact answer",
    "pass": "pass@k",
}


@dataclass(frozen=True)
class Item:
    """One question.

    prompts: what stands before the options: one text for all, or one for each. options: what is scored after a prompt,
    delimiter included; empty where the answer is generated. right: the places of the right options. answer: what a
    generated answer must be, or the tests that it must pass. shown: the item with its answer, as a shot shows it.
    subject: the part of the benchmark that it belongs to; shots come from the same part. chance: what guessing scores where
    the answer is generated.
    """

    key: str
    prompts: tuple[str, ...]
    options: tuple[str, ...] = ()
    right: tuple[int, ...] = ()
    answer: str = ""
    shown: str = ""
    subject: str = ""
    chance: float = 0.0

    def guessed(self) -> float:
        """The expected score of a guess, 0 to 1."""
        return len(self.right) / len(self.options) if self.options else self.chance


@dataclass(frozen=True)
class Loaded:
    """A benchmark's items; shots by subject, in order, where the benchmark has such; what stands above them, by subject."""

    items: list[Item]
    shots: Mapping[str, list[str]] = field(default_factory=dict)
    above: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Benchmark:
    """A benchmark as we ask it.

    shots: examples before each question. how: one sentence on choices that figures depend on. macro: the mean over groups
    of subjects, each counted once, in place of the mean over items; `group` names a subject's group. stops, tokens, extract:
    where a generated answer ends at the latest, and what of it is the answer.
    """

    name: str
    title: str
    table: Literal["english", "chinese"]
    shots: int
    metric: Metric
    load: Callable[[Folder], Loaded]
    how: str
    macro: bool = False
    group: Callable[[str], str] = str
    stops: tuple[str, ...] = ()
    tokens: int = 0
    extract: Callable[[str], str] = str.strip
