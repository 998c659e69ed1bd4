"""The search configs of the project: what they try, and on whose terms."""

from __future__ import annotations

import pytest

from core.config import load
from core.line import foreign
from tests.trainer.worlds import ROOT
from trainer.config import TrainConfig
from trainer.config.search import SEVEN
from trainer.search import trials
from trainer.search.combination import Combination
from trainer.search.search import check, combinations
from trainer.search.sensitivity import alone
from trainer.search.trials import position


@pytest.mark.parametrize(("name", "devices"), [("small", 1), ("tele-flm", 8)])
def test_the_search_configs_are_searches_of_nine_combinations(name: str, devices: int) -> None:
    config = load(ROOT / f"configs/search/{name}.yaml", [], TrainConfig, foreign("trainer"))
    made = combinations(config)
    assert len(made) == 9 and made[0] == Combination.of(config)
    # The first and each other one but the last are a pair that says what one of the seven does.
    assert {alone(made[0], one) for one in made[1:-1]} == set(SEVEN) and alone(made[0], made[-1]) is None
    assert check(config) == [] and config.search.slots * config.parallel.world == devices
    assert trials.with_its_end(config).pretrain.schedule.length == position(config, config.pretrain.steps)


def test_the_reports_prediction_is_on_its_targets_terms() -> None:
    narrow = load(ROOT / "configs/search/tele-flm-predict.yaml", [], TrainConfig, foreign("trainer"))
    target = load(ROOT / "configs/models/tele-flm-52b.yaml", [], TrainConfig, foreign("trainer"))
    assert narrow.pretrain.schedule == target.pretrain.schedule and len(narrow.predict.widths) == 5
