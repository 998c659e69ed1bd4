"""The compression table of a run: on the text that was put aside, with files for people and for programs."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest

from core.config import ConfigError
from core.run import Run
from datapipe.compression import compare
from datapipe.shards import write_table
from datapipe.stages.train_tokenizer import UNSEEN
from tests.tokenizer.conftest import SMALL, lines
from tokenizer.train import save, train


def run_with(folder: Path, rows: list[dict[str, str]]) -> str:
    """A run whose tokenizer is trained, with this text put aside."""
    stage = Run(str(folder)).stage("train_tokenizer")
    stage.begin("test")
    save(train(lines(), SMALL), stage.uri)
    write_table(stage.path("unseen", "00000.parquet"), UNSEEN, [pa.RecordBatch.from_pylist(rows, schema=UNSEEN)])
    stage.commit("test", {}, 0.0)
    return str(folder)


def test_a_run_is_measured_on_its_unseen_text(tmp_path: Path) -> None:
    rows = [
        {"domain": "WebText", "language": "en", "text": "The water ran."},
        {"domain": "Code", "language": "code", "text": "x = 1"},
        {"domain": "WebText", "language": "el", "text": ""},
    ]
    run = run_with(tmp_path, rows)
    said = compare(run, {"same": f"{run}/train_tokenizer/tokenizer.json"})
    folder = tmp_path / "compression"
    assert (folder / "table.md").read_text() == said
    assert (folder / "bars.png").read_bytes().startswith(b"\x89PNG")
    assert (folder / "bars.svg").read_bytes().startswith(b"<?xml")
    facts = json.loads((folder / "rates.json").read_text())
    assert facts["rates"]["ours"] == facts["rates"]["same"]
    assert facts["text"] == {"English": {"documents": 1, "utf8_bytes": 14}, "Code": {"documents": 1, "utf8_bytes": 5}}
    assert "no text of Chinese, Classical Chinese, Multilingual, Mathematical: the weighted column leaves them out" in said
    assert "report: Tele-FLM" in said


def test_a_run_without_unseen_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no text was put aside to measure on; set train_tokenizer.unseen higher"):
        compare(run_with(tmp_path, []), {})


def test_a_tokenizer_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none.json: no such file; run the stage `train_tokenizer`"):
        compare(run_with(tmp_path, []), {}, str(tmp_path / "none.json"))
