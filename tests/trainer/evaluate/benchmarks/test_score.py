"""The harness measures: who knows the answers scores high, who knows the wrong ones scores nothing, who guesses, as chance."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from lm_eval.api.instance import Instance
from lm_eval.api.model import LM

from core.config import ConfigError
from tests.trainer.evaluate.benchmarks.small_sets import put, table, write_sets
from trainer.evaluate.benchmarks.config import BenchmarkConfig, CodeConfig
from trainer.evaluate.benchmarks.item import Item
from trainer.evaluate.benchmarks.score import Score, load, score
from trainer.evaluate.benchmarks.sets import BENCHMARKS
from trainer.evaluate.benchmarks.tables import average, written
from trainer.evaluate.benchmarks.task import judged, mean


class Knowing(LM):
    """Finds out by the end of a prompt which item it is asked, and gives its answer, or always another."""

    context = 100_000
    label = ""

    def __init__(self, folder: str, right: bool = True) -> None:
        super().__init__()
        self.right, self.kept = right, [item for one in BENCHMARKS.values() for item in load(one, folder).items]

    def encode(self, text: str) -> list[int]:
        return list(text.encode())

    def _item(self, prompt: str) -> Item:
        return max(
            (item for item in self.kept if any(prompt.endswith(p) for p in item.prompts)), key=lambda i: len(i.prompts[0])
        )

    def loglikelihood(self, requests: Sequence[Instance]) -> list[tuple[float, bool]]:
        found = []
        for prompt, option in (request.args for request in requests):
            # By prompt and option together, for sets whose items have the same prompts or the same options.
            owners = [item for item in self.kept for p, o in self._pairs(item) if prompt.endswith(p) and o == option]
            known = any((prompt.endswith(p) and o == option) for item in owners for p, o in self._right(item))
            found.append((-1.0 if known == self.right else -1000.0, known))
        return found

    @staticmethod
    def _pairs(item: Item) -> list[tuple[str, str]]:
        prompts = item.prompts * len(item.options) if len(item.prompts) == 1 else item.prompts
        return list(zip(prompts, item.options, strict=False))

    def _right(self, item: Item) -> list[tuple[str, str]]:
        return [self._pairs(item)[place] for place in item.right]

    def generate_until(self, requests: Sequence[Instance]) -> list[str]:
        texts = []
        for prompt, _ in (request.args for request in requests):
            item = self._item(prompt)
            answer = item.answer if self.right else "nonsense"
            code = "    return 2 * n\n" if self.right else "    return n\n"
            texts.append(
                code
                if "def check" in item.answer
                else f"#### {answer}"
                if item.answer.isdigit()
                else f"the answer is {answer}."
            )
        return texts

    def loglikelihood_rolling(self, requests: Sequence[Instance]) -> list[float]:
        return [0.0 for _ in requests]


class Guessing(Knowing):
    """Likelihoods out of a hash."""

    def loglikelihood(self, requests: Sequence[Instance]) -> list[tuple[float, bool]]:
        return [(-float(int(hashlib.md5(repr(request.args).encode()).hexdigest()[:8], 16)), False) for request in requests]


SETTINGS: dict[str, Any] = {"limit": None, "code": CodeConfig(run=True, samples=1, k=1, seconds=3.0)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    root = write_sets(tmp_path_factory.mktemp("known"))
    # CSL's two abstracts are the same text, which tells this model nothing.
    put(root, "csl/test_public.json.gz", '{"id": 1, "abst": "本文研究织布机。", "keyword": ["织布机"], "label": "1"}\n')
    header = [["question", "A", "B", "C", "D", "answer"]]
    rows = [[f"knot {n}?", *(f"{letter}{n}" for letter in "wxyz"), "ABCD"[n * 7 % 4]] for n in range(400)]
    put(root, "mmlu/test/knots_test.csv.gz", table(header + rows))
    return str(root)


def test_a_model_that_knows_the_answers_scores_high_on_all_thirteen(folder: str) -> None:
    scores = score(Knowing(folder), BenchmarkConfig(folder=folder, **SETTINGS), seed=1)
    assert list(scores) == list(BENCHMARKS)
    assert {name: round(found.score, 3) for name, found in scores.items()} == dict.fromkeys(BENCHMARKS, 100.0)


def test_a_model_that_takes_the_wrong_ones_scores_nothing(folder: str) -> None:
    scores = score(Knowing(folder, right=False), BenchmarkConfig(folder=folder, **SETTINGS), seed=1)
    assert {name: round(found.score, 3) for name, found in scores.items()} == dict.fromkeys(BENCHMARKS, 0.0)


def test_a_model_that_guesses_scores_as_chance(folder: str) -> None:
    settings = BenchmarkConfig(folder=folder, names=["mmlu"], limit=300)
    found = score(Guessing(folder), settings, seed=1)["mmlu"]
    assert found.items == 300 and found.of == 403 and found.chance == pytest.approx(25)
    assert abs(found.score - 25) < 4 * found.error


def test_programs_are_run_only_when_asked(folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert not score(Knowing(folder), BenchmarkConfig(folder=folder, names=["humaneval"]), seed=1)
    assert "benchmark.code.run=true" in capsys.readouterr().err


def test_the_seed_draws_the_items(folder: str) -> None:
    settings = BenchmarkConfig(folder=folder, names=["mmlu"], limit=20)
    first, again, other = (score(Guessing(folder), settings, seed=seed)["mmlu"] for seed in (1, 1, 2))
    assert first.score == again.score and first.score != other.score


def test_metrics_of_options() -> None:
    item = Item("x", ("p",), (" aa", " bbbbbb", " c"), (1,))
    nats = [(-2.0, False), (-3.0, False), (-2.5, False)]
    by_metric = {
        metric: judged(BENCHMARKS[name], item, nats, CodeConfig(), None)
        for metric, name in (("acc", "mmlu"), ("acc_norm", "arc"), ("acc_bytes", "csl"), ("mc2", "truthfulqa"))
    }
    share = math.exp(-3) / (math.exp(-2) + math.exp(-3) + math.exp(-2.5))
    assert by_metric == {"acc": 0.0, "acc_norm": 1.0, "acc_bytes": 1.0, "mc2": pytest.approx(share)}


def test_a_mean_over_subjects_counts_each_once_and_a_group_of_them_once() -> None:
    values = [(Item(str(n), ("p",), answer="a", subject="web_of_lies"), 1.0) for n in range(8)]
    for size, value in (("three", 1.0), ("five", 0.0), ("seven", 0.5)):
        values.append((Item(size, ("p",), answer="a", subject=f"logical_deduction_{size}_objects", chance=0.6), value))
    level, error, chance = mean(BENCHMARKS["bbh"], values)
    assert level == pytest.approx((1.0 + 0.5) / 2) and chance == pytest.approx(0.3) and error > 0
    plain = mean(BENCHMARKS["arc"], [(values[0][0], 1.0), (values[1][0], 0.0)])
    assert plain[0] == 0.5 and plain[1] == pytest.approx(0.5)


def test_the_error_is_the_spread_of_means_of_drawn_items() -> None:
    import random

    generator = random.Random(1)
    draws = [[(Item("", ("p",), answer="a"), float(generator.random() < 0.3)) for _ in range(60)] for _ in range(400)]
    found = [mean(BENCHMARKS["arc"], values) for values in draws]
    level = sum(one[0] for one in found) / len(found)
    spread = math.sqrt(sum((one[0] - level) ** 2 for one in found) / len(found))
    assert sum(one[1] for one in found) / len(found) == pytest.approx(spread, rel=0.15)


def a_score(title: str, value: float, table_name: str = "chinese") -> Score:
    return Score(title, table_name, "accuracy", value, 1.25, 25.0, 40, 1346, 5, 2.5, 7, "the validation set", 1.0)


def test_the_average_and_the_chance_level_stand_in_the_table() -> None:
    # The cells of Tele-FLM's row of the report's Table 8.
    cells = {"C-Eval": 65.48, "CMMLU": 66.98, "C3": 66.25, "CHID": 92.57, "CSL": 64.38}
    scores = {title: a_score(title, value) for title, value in cells.items()}
    assert average(scores, "chinese") == pytest.approx(71.13, abs=0.0055)
    assert average(scores, "english") is None
    few = {title: score for title, score in scores.items() if title != "CHID"}
    assert "| Average of 4 of 5 |" in written("ours", few)
    text = written("ours", scores)
    assert "| ours   |   71.13 |  65.48 |" in text and "| chance |   25.00 |" in text
    assert "40 of 1,346" in text and "5 (2.5)" in text and "±1.25" in text


@pytest.mark.parametrize("name", ["small", "full"])
def test_the_cuts_are_settings_that_load(name: str) -> None:
    from core.config import load as read
    from trainer.config import TrainConfig

    cut = read(Path(__file__).parents[4] / "configs" / "evaluation" / f"{name}.yaml", [], TrainConfig)
    assert (cut.benchmark.limit_of("bbh") is None) == (name == "full")
    assert list(cut.evaluate.tables) == ["english", "chinese"]


def test_a_missing_set_is_named_before_anything_runs(folder: str, tmp_path: Path) -> None:
    from trainer.evaluate.benchmarks.score import check_folder

    with pytest.raises(ConfigError, match="BENCHMARKS=dir"):
        check_folder(BenchmarkConfig())
    put(tmp_path, "c3/x.json", "[]")
    with pytest.raises(ConfigError, match="has no files for csl"):
        check_folder(BenchmarkConfig(folder=str(tmp_path), names=["c3", "csl"]))
    put(tmp_path, "csl/test_public.json.gz", '{"id": 1}\n')
    with pytest.raises(ConfigError, match="c3: holds no file like"):
        check_folder(BenchmarkConfig(folder=str(tmp_path), names=["c3"]))
    with pytest.raises(ConfigError, match="csl: KeyError"):
        check_folder(BenchmarkConfig(folder=str(tmp_path), names=["csl"]))
    with pytest.raises(ConfigError, match="'arcs' is no benchmark that we have"):
        BenchmarkConfig(names=["arcs"])
