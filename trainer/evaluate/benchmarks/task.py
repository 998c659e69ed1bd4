"""A benchmark as a task of lm-evaluation-harness, made from items in memory: the harness's own tasks fetch theirs."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lm_eval.api.instance import Instance
from lm_eval.api.task import Task

from trainer.evaluate.benchmarks.code import pass_at_k
from trainer.evaluate.benchmarks.config import CodeConfig
from trainer.evaluate.benchmarks.item import Benchmark, Item
from trainer.evaluate.benchmarks.prompts import Asked

Judge = Callable[[Sequence[str]], list[bool]]
"""Whether each of some programs ends well."""


class LocalTask(Task):
    """One benchmark over items that have their prompts already.

    `values` holds, after the evaluation, (item, score from 0 to 1) in the order of the items. `judge` runs programs.
    """

    VERSION = 1

    def __init__(self, benchmark: Benchmark, asked: Sequence[Asked], code: CodeConfig, judge: Judge | None = None) -> None:
        self.benchmark, self.asked, self._code, self._judge = benchmark, list(asked), code, judge
        self.values: list[tuple[Item, float]] = []
        self.OUTPUT_TYPE = "generate_until" if benchmark.tokens else "multiple_choice"
        super().__init__(config={"task": benchmark.name, "num_fewshot": 0, "output_type": self.OUTPUT_TYPE})

    def download(self, *args: Any, **rest: Any) -> None:
        """There is nothing to fetch."""

    def has_training_docs(self) -> bool:
        return False

    def has_validation_docs(self) -> bool:
        return False

    def has_test_docs(self) -> bool:
        return True

    def test_docs(self) -> list[Item]:
        return [one.item for one in self.asked]

    def doc_to_text(self, doc: Item) -> str:
        return doc.prompts[0]

    def doc_to_target(self, doc: Item) -> str:
        return doc.options[doc.right[0]] if doc.options else doc.answer

    def build_all_requests(self, *, rank: int = 0, world_size: int = 1, **rest: Any) -> None:
        """The harness's own builds prompts here; ours are complete."""
        docs = self.doc_iterator(rank=rank, world_size=world_size)
        name = self.benchmark.name
        self._instances = [
            made for place, doc in docs for made in self.construct_requests(doc, doc.prompts[0], metadata=(name, place, 1))
        ]

    def construct_requests(self, doc: Item, ctx: str, **rest: Any) -> list[Instance]:
        """One request for each option, or for each text to generate."""
        metadata = rest["metadata"]
        if self.benchmark.tokens:
            many = self._code.samples if self.benchmark.metric == "pass" else 1
            drawn = {"temperature": self._code.temperature, "top_p": self._code.top_p}
            how: dict[str, Any] = {"until": list(self.benchmark.stops), "max_gen_toks": self.benchmark.tokens}
            how |= drawn if self.benchmark.metric == "pass" else {"temperature": 0.0}
            return [self._instance("generate_until", doc, (doc.prompts[0], how), number, metadata) for number in range(many)]
        prompts = doc.prompts * len(doc.options) if len(doc.prompts) == 1 else doc.prompts
        pairs = zip(prompts, doc.options, strict=True)
        return [self._instance("loglikelihood", doc, pair, number, metadata) for number, pair in enumerate(pairs)]

    def _instance(self, kind: str, doc: Item, arguments: tuple[Any, ...], number: int, metadata: Any) -> Instance:
        return Instance(request_type=kind, doc=doc, arguments=arguments, idx=number, metadata=metadata)

    def process_results(self, doc: Item, results: Sequence[Any]) -> dict[str, float]:
        value = judged(self.benchmark, doc, results, self._code, self._judge)
        self.values.append((doc, value))
        return {self.benchmark.metric: value}

    def aggregation(self) -> dict[str, Callable[[Sequence[float]], float]]:
        return {self.benchmark.metric: lambda values: sum(values) / len(values)}

    def higher_is_better(self) -> dict[str, bool]:
        return {self.benchmark.metric: True}


def judged(benchmark: Benchmark, item: Item, results: Sequence[Any], code: CodeConfig, judge: Judge | None) -> float:
    """The score of one item, 0 to 1, from log-likelihoods (with whether each was the likeliest) or generated texts."""
    if benchmark.metric == "pass":
        if judge is None:
            raise ValueError(f"{benchmark.name} runs programs; it needs a judge of them.")
        passed = judge([f"{item.prompts[0]}{text}\n{item.answer}" for text in results])
        return pass_at_k(len(passed), sum(passed), code.k)
    if benchmark.metric == "exact":
        return float(benchmark.extract(results[0]) == item.answer)
    nats = [float(result[0]) for result in results]
    if benchmark.metric == "mc2":
        top = max(nats)
        shares = [math.exp(value - top) for value in nats]
        return sum(shares[place] for place in item.right) / sum(shares)
    # The delimiter before an option counts in no length, as in the harness.
    sizes = {
        "acc_norm": [float(len(option.strip())) for option in item.options],
        "acc_bytes": [float(len(option.strip().encode())) for option in item.options],
    }.get(benchmark.metric, [1.0] * len(nats))
    rates = [value / max(1.0, size) for value, size in zip(nats, sizes, strict=True)]
    return float(rates.index(max(rates)) in item.right)


def mean(benchmark: Benchmark, values: Sequence[tuple[Item, float]]) -> tuple[float, float, float]:
    """(score, its standard error, what guessing would score), each 0 to 1: over items, or over groups of subjects.

    A group of several subjects is the mean of those; the error takes items of one subject as drawn independently.
    """
    if not benchmark.macro:
        return (*_level([value for _, value in values]), sum(item.guessed() for item, _ in values) / len(values))
    groups: dict[str, dict[str, list[tuple[Item, float]]]] = {}
    for item, value in values:
        groups.setdefault(benchmark.group(item.subject), {}).setdefault(item.subject, []).append((item, value))
    spread = _level([value for _, value in values])[1] ** 2 * len(values)  # of one item
    score = variance = chance = 0.0
    for subjects in groups.values():
        for members in subjects.values():
            weight = 1 / len(groups) / len(subjects)
            score += weight * sum(value for _, value in members) / len(members)
            chance += weight * sum(item.guessed() for item, _ in members) / len(members)
            variance += weight**2 * spread / len(members)
    return score, math.sqrt(variance), chance


def _level(values: Sequence[float]) -> tuple[float, float]:
    """Mean and its standard error."""
    level = sum(values) / len(values)
    if len(values) < 2:
        return level, math.nan
    return level, math.sqrt(sum((value - level) ** 2 for value in values) / (len(values) - 1) / len(values))


def evaluated(reader: Any, tasks: Mapping[str, LocalTask], seed: int) -> None:
    """Has the harness ask a model all tasks; each task then holds its values."""
    from lm_eval.evaluator import evaluate

    state = random.getstate()
    evaluate(lm=reader, task_dict=dict(tasks), bootstrap_iters=0, log_samples=False)
    random.setstate(state)
