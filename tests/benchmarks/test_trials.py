"""The benchmarks that train small models, on trainings that are logs made by hand: each runs with its own defaults."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from benchmarks import __main__ as bench
from benchmarks import _trials, growth_saving
from tests.trainer.tokens import write_encoded
from trainer.search.trials import Trial

NAMES = ["mup-basins", "loss-prediction", "transfer-regret", "growth-saving"]


@pytest.fixture
def trainings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Trial]:
    """What would have been trained, on tmp_path/run: a wider model is better, and so is a learning rate near the config's."""
    write_encoded(tmp_path / "run")
    made: list[Trial] = []

    def bring(trials: list[Trial], *_: Any) -> None:
        for one in trials:
            model, rate = one.config.model, one.config.pretrain.optimizer.lr
            loss = 2 + model.hidden**-0.5 + 0.01 * math.log2(rate / 4e-3) ** 2 + 1e-4 * (model.init_seed or 0)
            rows: list[dict[str, Any]] = []
            source = one.config.grow.source  # what is grown goes on where its source ended
            begun = len(Trial(Path(source), one.config).rows()) if source is not None else 0
            for n in range(begun + 1, one.steps + 1):
                rows.append({"step": n, "tokens": 4096 * n, "loss": loss + 1 / n, "grad_norm": 1.0})
                rows.append({"step": n, "validation": {"WebText": {"loss": loss + 1 / n, "tokens": 64}}})
            (one.folder / "pretrain").mkdir(parents=True, exist_ok=True)
            text = "".join(json.dumps(row) + "\n" for row in rows)
            (one.folder / "pretrain/log.jsonl").write_text(text, encoding="utf-8")
        made.extend(trials)

    monkeypatch.setattr(_trials, "bring_to", bring)
    monkeypatch.setattr(growth_saving, "bring_to", bring)
    monkeypatch.setattr(growth_saving, "grow", lambda config: None)
    return made


@pytest.mark.parametrize("name", NAMES)
def test_a_benchmark_of_trainings_comes_to_its_figures_with_its_own_defaults(
    name: str, trainings: list[Trial], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench.main([name, "--run", str(tmp_path / "run"), "--steps", "40"]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert found and all(math.isfinite(row["value"]) for row in found)


def test_the_widths_of_a_foretold_loss_have_heads_of_one_size(trainings: list[Trial], tmp_path: Path) -> None:
    given = ["loss-prediction", "--run", str(tmp_path / "run"), "--steps", "40", "--seeds", "1"]
    bench.main(given)
    assert [one.config.model.hidden for one in trainings] == [32, 48, 64, 96, 128, 256]
    assert {one.config.model.head_dim for one in trainings} == {16}
    trainings.clear()
    bench.main([*given, "model.heads=8"])  # the user's own setting stands above the benchmark's
    assert {one.config.model.head_dim for one in trainings} == {8}


def test_what_the_user_can_mend_is_one_line(trainings: list[Trial], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for given, says in (
        (["loss-prediction", "--run", str(tmp_path / "run"), "--widths", "32", "64", "72"], "72 is no multiple of 16"),
        (["mup-basins", "--run", str(tmp_path / "run"), "model.head=4"], "model.head"),
        (["mup-basins", "--run", str(tmp_path / "nowhere")], "run `make encode`"),
    ):
        assert bench.main(given) == 2 and not trainings
        said = capsys.readouterr().err.splitlines()
        assert said[-1].startswith("error: ") and says in said[-1], said
