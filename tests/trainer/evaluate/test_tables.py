"""The report's weighted sums and averages, recomputed by our code from its printed cells."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from core.config import ConfigError, load
from trainer.config import TrainConfig
from trainer.evaluate.config import ColumnConfig, TableConfig
from trainer.evaluate.tables import sums

CONFIGS = Path(__file__).parents[3] / "configs"
PRINTED: dict[str, Any] = yaml.safe_load((CONFIGS / "published" / "tables.yaml").read_text())
OURS = load(CONFIGS / "bpb.yaml", [], TrainConfig).evaluate.tables


@pytest.mark.parametrize("table", ["english", "chinese"])
@pytest.mark.parametrize("kind", ["loss", "bpb"])
def test_the_sums_of_tables_5_and_6_come_out_as_printed(table: str, kind: str) -> None:
    printed = PRINTED[table]
    assert list(OURS[table].columns) == printed["columns"]
    assert list(OURS[table].weights) == printed["sums"]
    for model, row in printed[kind].items():
        found = sums(OURS[table].weights, dict(zip(printed["columns"], row["cells"], strict=True)))
        for name, expected in zip(printed["sums"], row["sums"], strict=True):
            assert found[name].value == pytest.approx(expected, abs=0.001), (model, name)
            assert found[name].covered == pytest.approx(1.0)


@pytest.mark.parametrize("table", ["english_benchmarks", "chinese_benchmarks"])
def test_the_averages_of_tables_7_and_8_come_out_as_printed(table: str) -> None:
    columns = PRINTED[table]["columns"]
    weights = {"Average": dict.fromkeys(columns, 1.0)}
    for model, row in PRINTED[table]["scores"].items():
        found = sums(weights, dict(zip(columns, row["cells"], strict=True)))
        assert found["Average"].value == pytest.approx(row["average"], abs=0.0055), model


def test_a_sum_over_some_columns_says_how_much_of_the_weight_it_covers() -> None:
    found = sums({"sum": {"a": 3, "b": 1}, "other": {"b": 1}}, {"a": 2.0})
    assert found["sum"].value == 2.0 and found["sum"].covered == 0.75
    assert "other" not in found


def test_a_weight_for_a_column_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ConfigError, match="weights.sum.b: no such column; there are a"):
        TableConfig(columns={"a": ColumnConfig(domains=["Book"])}, weights={"sum": {"b": 1.0}})
