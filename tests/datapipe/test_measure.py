"""`measure`: one row a document that extract kept, made once, and again only when what it depends on has changed."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import NoReturn

import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from core.config import ConfigError
from core.run import Run
from datapipe.config import DataConfig, ExtractConfig
from datapipe.document import Document, Verdict
from datapipe.measure import measure
from datapipe.rules.sets import Bounds
from datapipe.rules.tune import TuneConfig, tune
from tests.conftest import MakeWork
from tests.datapipe.rules.pages import CHINESE, ENGLISH, bounds

DOCUMENTS = [
    *(Document("web", str(number), "WebText", ENGLISH[: 200 + 90 * number], "en") for number in range(9)),
    Document("web", "zh", "WebText", CHINESE, "zh"),
    Document("web", "gone", "WebText", ENGLISH, "en", verdict=Verdict("extract.language")),
]


def no_session() -> NoReturn:
    raise AssertionError("a session was opened")


@pytest.fixture
def config(make_work: MakeWork, tmp_path: Path) -> DataConfig:
    """A run whose extract has written DOCUMENTS into two shards."""
    settings = DataConfig(run=str(tmp_path / "run"), extract=ExtractConfig(shards=2), clean=bounds()._config)
    made = make_work("clean", DOCUMENTS, settings).inputs["documents"]
    Path(made.uri).rename(tmp_path / "run" / "extract")
    return settings


def test_measures_are_made_once_and_read_by_tune(config: DataConfig, spark: SparkSession, tmp_path: Path) -> None:
    assert measure(config, lambda: spark).startswith("measure: 10 documents, ")
    rows = [row for path in sorted(tmp_path.glob("run/measures/shards/*.parquet")) for row in pq.read_table(path).to_pylist()]
    assert sorted(row["id"] for row in rows) == sorted(document.id for document in DOCUMENTS[:-1])
    assert measure(config, no_session) == "measure: up to date"
    page = "\n".join(tune(Run(config.run), Bounds(config.clean), TuneConfig(rule="gopher.words", min=[60.0], language="en")))
    assert "gopher.words: min 60" in page


def test_other_bounds_or_documents_are_measured_anew(config: DataConfig, spark: SparkSession) -> None:
    measure(config, lambda: spark)
    other = dataclasses.replace(config, clean=dataclasses.replace(config.clean, longest=900))
    with pytest.raises(AssertionError, match="a session was opened"):
        measure(other, no_session)
    extract = Run(config.run).stage("extract")
    facts = extract.require()
    extract.commit("another", {name: facts[name] for name in ("in", "kept", "removed", "by_domain")}, 0.0)
    with pytest.raises(AssertionError, match="a session was opened"):
        measure(config, no_session)


def test_a_run_without_extract_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="extract"):
        measure(DataConfig(run=str(tmp_path / "empty"), clean=bounds()._config), no_session)
