"""The tables of evaluate as Markdown."""

from __future__ import annotations

from pathlib import Path

import pytest

from core import storage
from core.run import Run
from tests.trainer.small_run import write_run
from trainer.config import TrainConfig
from trainer.evaluate.config import ColumnConfig, EvaluateConfig, TableConfig
from trainer.evaluate.markdown import table
from trainer.evaluate.stage import evaluate
from trainer.evaluate.written import written


def test_columns_stand_under_one_another() -> None:
    assert table(["", "a"], [["long name", "1.0"], ["x", "12.25"]]) == (
        "|           |     a |\n|-----------|------:|\n| long name |   1.0 |\n| x         | 12.25 |"
    )


def test_the_tables_are_written_beside_the_manifest_and_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = write_run(tmp_path)
    columns = {"Web": ColumnConfig(domains=["WebText"]), "Books": ColumnConfig(domains=["Book"])}
    asked = EvaluateConfig(tables={"english": TableConfig(columns=columns, weights={"L-Prop": {"Web": 3, "Books": 1}})})
    facts = evaluate(TrainConfig(run=config.run, model=config.model, evaluate=asked), Run(config.run))
    text = storage.read_text(str(tmp_path / "evaluate" / "tables.md"))
    assert capsys.readouterr().out.strip() == text.strip()
    bpb = facts["tables"]["english"]["sums"]["L-Prop"]["bpb"]
    assert f"| this run | {bpb:.3f} |  {bpb:.3f} |" in text
    assert "The sums cover 75.0% of the weight" in text and "32 tokens" in text


def test_other_models_have_a_row_of_their_own() -> None:
    row = {"loss": 2.0, "bpb": 0.75, "tokens": 1000, "utf8_bytes": 4000}
    filled = {"columns": {"Web": row}, "sums": {"L-Prop": {"loss": 2.0, "bpb": 0.75, "covered": 1.0}}}
    facts = {"bpb": {"WebText": {**row, "unigram_loss": 7.0}}, "tables": {"english": filled}}
    other = {"bpb": {"WebText": {**row, "bpb": 0.6}}, "tables": {"english": {**filled, "columns": {}}}}
    text = written(
        {**facts, "beside": {"llama": {**other, "context": 2048}}, "context": "Blocked.", "checkpoint": "step-00000020"}
    )
    assert "| domain  |  loss |   BPB | llama, BPB | unigram loss | tokens | UTF-8 bytes |" in text
    assert "| WebText | 2.000 | 0.750 |      0.600 |        7.000 |  1,000 |       4,000 |" in text
    assert "| llama    |     – |  0.750 |" in text
    assert "Blocked. llama: windows of 2,048 of its own tokens." in text
