"""The table of measures holds what clean would measure; a threshold is tried on it without the text."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.config import ConfigError
from core.run import Run
from datapipe.document import Document, to_batch
from datapipe.rules.registry import PAGE_RULES
from datapipe.rules.table import measured, schema
from datapipe.rules.tune import TuneConfig, tune
from datapipe.stages.clean import clean_batch
from tests.datapipe.rules.pages import CHINESE, ENGLISH, bounds

DOCUMENTS = [
    Document("s", f"{n}", "WebText", ENGLISH[: 300 + 100 * n], "en") for n in range(12)
] + [Document("s", "zh", "WebText", CHINESE, "zh"), Document("s", "book", "Book", ENGLISH * 3, "en")]  # fmt: skip


@pytest.fixture
def run(tmp_path: Path) -> Run:
    made = Run(str(tmp_path))
    folder = tmp_path / "measures" / "shards"
    folder.mkdir(parents=True)
    batch = measured(to_batch(DOCUMENTS), bounds(), bounds()._config)
    pq.write_table(pa.Table.from_batches([batch]), folder / "00000.parquet")
    return made


def said(run: Run, **wanted: Any) -> str:
    return "\n".join(tune(run, bounds(), TuneConfig(**wanted)))


def test_the_table_has_every_rule_and_no_text() -> None:
    batch = measured(to_batch(DOCUMENTS), bounds(), bounds()._config)
    assert batch.schema == schema()
    rows = {row["id"]: row for row in batch.to_pylist()}
    zh = rows[DOCUMENTS[12].id]
    assert zh["gopher.stop_words"] is None and zh["chinese.han_share"] > 0.9
    assert all(len(row["excerpt"]) <= 160 for row in rows.values())


def test_the_table_says_what_clean_says() -> None:
    entry = bounds().of("WebText", "en")
    batch = measured(to_batch(DOCUMENTS), bounds(), bounds()._config).to_pylist()
    verdicts = clean_batch(to_batch(DOCUMENTS), bounds(), bounds()._config).column("verdict").to_pylist()
    for row, verdict in zip(batch[:12], verdicts[:12], strict=True):
        known = {name: bound for name, bound in entry.pages.items() if row[name] is not None}
        broken = [name for name, bound in known.items() if bound.broken_by(row[name]) is not None]
        assert next(iter(broken), None) == (verdict and verdict["rule"])


def test_a_threshold_is_set_beside_the_present_one(run: Run) -> None:
    page = said(run, rule="gopher.words", min=[50.0, 100.0], language="en")
    assert page.count("gopher.words: min") == 2
    first, second = page.split("gopher.words: min 100")
    assert "newly dropped" not in first
    assert "newly dropped" in second and "The ferry that crosses" in second
    assert "zh" not in page.split("documents")[-1].split("newly dropped:")[0]


def test_every_rule_can_be_looked_at_without_a_threshold(run: Run) -> None:
    for name in PAGE_RULES:
        assert "documents, median" in said(run, rule=name)


def test_what_cannot_be_tried_is_refused_with_what_would_be_right(run: Run, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="did you mean gopher.words"):
        TuneConfig(rule="gopher.wrds")
    with pytest.raises(ConfigError, match="measures lines"):
        TuneConfig(rule="c4.policy")
    with pytest.raises(ConfigError, match="no document of domain=QA"):
        said(run, rule="gopher.words", domain="QA")
    with pytest.raises(ConfigError, match="run `make measure`"):
        list(tune(Run(str(tmp_path / "none")), bounds(), TuneConfig(rule="gopher.words")))
