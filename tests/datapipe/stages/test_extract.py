"""The extract stage: every record in is kept or on the ledger, files are read once, cuts of the work change nothing."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from core import storage
from core.run import Run
from datapipe.config import DataConfig, ExtractConfig, TriageConfig
from datapipe.shards import read_kept, shard_facts
from datapipe.sources.inputs import balanced, find
from datapipe.stages.extract import extract
from datapipe.work import Work
from tests.datapipe.sources.builders import CHINESE, RULES, small_corpus


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    return small_corpus(tmp_path / "corpus")


def at_work(spark: SparkSession, corpus: Path, run: Path, **changes: Any) -> Work:
    """A stage without the first look, which has tests of its own: the pages here are copies of one another."""
    plain = ExtractConfig(shards=3, inputs=RULES, triage=TriageConfig(use=False))
    settings = DataConfig(run=str(run), corpus=str(corpus), extract=replace(plain, **changes))
    directory = Run(str(run)).stage("extract")
    directory.begin(json.dumps(str(settings.extract)), keep=("parts",))
    return Work(spark, settings, directory, {})


def test_every_record_is_kept_or_on_the_ledger(spark: SparkSession, corpus: Path, tmp_path: Path) -> None:
    crawl = Run(str(tmp_path / "run")).stage("crawl")  # what stands before extract where no corpus is given; it counts pages
    crawl.commit("given", {"pages": 7}, 0.0)
    work = at_work(spark, corpus, tmp_path / "run")
    facts = extract(Work(spark, work.settings, work.directory, {"crawl": crawl}))
    assert (facts["in"], facts["kept"], facts["removed"]) == (54, 51, 3)
    assert facts["by_rule"] == {
        "extract.corrupt_record": {"QA": 1},
        "extract.empty": {"WebText": 1},
        "extract.truncated_file": {"WebText": 1},
    }
    assert (facts["files"], facts["files_no_rule_names"]) == (15, 1)
    assert facts["by_language"]["zh"]["kept"] == 12
    shards = storage.listing(str(tmp_path / "run/extract/shards"))
    ids = [[row for batch in read_kept(info.uri) for row in batch.column("id").to_pylist()] for info in shards]
    assert all(of_shard == sorted(of_shard) for of_shard in ids) and len({row for of_shard in ids for row in of_shard}) == 51


def test_a_second_run_reads_only_what_changed_and_drops_what_is_gone(spark: SparkSession, corpus: Path, tmp_path: Path) -> None:
    first = extract(at_work(spark, corpus, tmp_path / "run"))
    (corpus / "books/zh/3.txt").write_text("新的一章\n" + CHINESE[0])
    (corpus / "books/zh/4.txt").unlink()
    work = at_work(spark, corpus, tmp_path / "run")
    storage.remove(work.directory.path("shards"))  # as a changed fingerprint does
    again = extract(work)
    assert (first["files_read_now"], again["files_read_now"]) == (15, 1)
    assert again["in"] == first["in"] - 1 and again["digest"] != first["digest"]
    assert len(storage.listing(str(tmp_path / "run/extract/parts"))) == 14


def test_how_the_work_is_cut_does_not_change_what_comes_out(spark: SparkSession, corpus: Path, tmp_path: Path) -> None:
    digest = extract(at_work(spark, corpus, tmp_path / "one"))["digest"]
    moved = tmp_path / "elsewhere"
    os.rename(corpus, moved)  # ids know nothing of where the corpus lies
    work = at_work(spark, moved, tmp_path / "two")
    claimed = find(work.config, str(moved))
    for workers in (1, 2, 7):
        groups = balanced(claimed, workers)
        assert sorted(entry[0].path for group in groups for entry in group) == [file.path for file, _ in claimed]
    assert extract(work)["digest"] == digest


def test_a_killed_run_goes_on_with_the_files_not_yet_read(spark: SparkSession, corpus: Path, tmp_path: Path) -> None:
    whole = extract(at_work(spark, corpus, tmp_path / "run"))
    parts = storage.listing(str(tmp_path / "run/extract/parts"))
    for info in parts[:5]:
        storage.remove(info.uri)
    storage.remove(str(tmp_path / "run/extract/shards/00001.parquet"))
    again = extract(at_work(spark, corpus, tmp_path / "run"))
    assert again["files_read_now"] == 5 and again["digest"] == whole["digest"]
    assert shard_facts(str(tmp_path / "run/extract/shards/00001.parquet"))["in"] > 0
