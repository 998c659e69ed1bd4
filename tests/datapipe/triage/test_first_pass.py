"""The first pass over a crawl: copies go by a rule that neither order nor cut can change, and every page is accounted for."""

from __future__ import annotations

import gzip
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from core import storage
from core.run import Run
from datapipe.config import DataConfig, ExtractConfig, InputConfig, TriageConfig, UrlList
from datapipe.document import document_id
from datapipe.sources.base import InputFile
from datapipe.sources.warc import Warc
from datapipe.stages.extract import extract
from datapipe.triage.duplicates import duplicates
from datapipe.triage.look import LOOKED, RIGHT, WRONG, looks
from datapipe.work import Work
from tests.datapipe.sources.builders import SENTENCES, page, warc

RULES = [InputConfig(glob="*.warc.gz", source="warc")]


def text_of(number: int) -> bytes:
    return page([f"Chapter {number}. {sentence}" for sentence in SENTENCES]).encode()


@pytest.fixture
def crawl(tmp_path: Path) -> Path:
    root = tmp_path / "corpus"
    root.mkdir()
    first = [
        (text_of(1), {"url": "http://a.example/one"}),
        (text_of(1), {"url": "http://b.example/copy"}),
        (text_of(2), {"url": "http://a.example/two?utm_source=x"}),
        (text_of(3), {"url": "http://a.example/three"}),
        (page(["Log in."]).encode(), {"url": "http://a.example/log-in"}),
    ]
    second = [
        (text_of(1), {"url": "https://www.c.example/one"}),
        (text_of(4), {"url": "https://www.a.example/two/"}),
        (text_of(5), {"url": "http://porn.example/"}),
        (text_of(6), {"url": "http://listed.example/"}),
        (b"", {"url": "http://a.example/empty"}),
    ]
    warc(root / "a.warc.gz", first)
    warc(root / "b.warc.gz", second)
    return root


def at_work(spark: SparkSession, corpus: Path, run: Path, **changes: Any) -> Work:
    made = replace(ExtractConfig(shards=3, inputs=RULES), **changes)
    directory = Run(str(run)).stage("extract")
    directory.begin(json.dumps(str(made)), keep=("parts", "looked", "lists"))
    return Work(spark, DataConfig(run=str(run), corpus=str(corpus), extract=made), directory, {})


def ledger(run: Path) -> list[dict[str, Any]]:
    rows = [row for path in sorted((run / "extract/shards").glob("*.parquet")) for row in pq.read_table(path).to_pylist()]
    return sorted(rows, key=lambda row: (row["source"], int(row["key"])))


def test_copies_and_hopeless_pages_are_on_the_ledger_and_the_rest_is_extracted(
    spark: SparkSession, crawl: Path, tmp_path: Path
) -> None:
    (tmp_path / "list.txt").write_text("listed.example\n")
    triage = TriageConfig(lists={"mine": UrlList(uri=str(tmp_path / "list.txt"))})
    facts = extract(at_work(spark, crawl, tmp_path / "run", triage=triage))
    assert (facts["in"], facts["kept"], facts["removed"]) == (10, 3, 7)
    assert facts["triage"] == {"bodies": 9, "digests": 9, "digests_wrong": 0}
    rules = {rule: sum(counts.values()) for rule, counts in facts["by_rule"].items()}
    assert rules == {
        "extract.empty": 1, "triage.same_payload": 2, "triage.same_url": 1, "triage.url_list": 1, "triage.url_words": 1,
        "triage.words": 1,
    }  # fmt: skip
    rows = {row["url"]: row for row in ledger(tmp_path / "run")}
    ones = [row for row in rows.values() if row["url"].endswith(("one", "copy"))]
    [stays] = [row for row in ones if row["verdict"] is None]
    assert {row["verdict"]["detail"] for row in ones if row["verdict"]} == {f"{stays['id']} stays"}
    assert {row["verdict"]["measure"] for row in ones if row["verdict"]} == {3.0}
    two = [row for row in rows.values() if "/two" in row["url"]]
    assert sorted(row["verdict"] is None for row in two) == [False, True]
    assert rows["http://listed.example/"]["verdict"]["detail"] == "mine: listed.example"


def test_a_switch_turns_it_off_and_another_keeps_all_versions(spark: SparkSession, crawl: Path, tmp_path: Path) -> None:
    off = extract(at_work(spark, crawl, tmp_path / "off", triage=TriageConfig(use=False)))
    assert off["in"] == 10 and "triage" not in off and not any(rule.startswith("triage.") for rule in off["by_rule"])
    everything = extract(at_work(spark, crawl, tmp_path / "all", triage=TriageConfig(same_url="keep_all", same_payload=False)))
    assert everything["kept"] == 7
    assert {"triage.words", "triage.url_words"} < set(everything["by_rule"])


def test_a_new_file_has_only_those_files_read_again_that_it_concerns(spark: SparkSession, crawl: Path, tmp_path: Path) -> None:
    before = extract(at_work(spark, crawl, tmp_path / "run"))
    warc(crawl / "c.warc.gz", [(text_of(3), {"url": "http://later.example/three", "headers": [("X", "1")]})])
    warc(crawl / "d.warc.gz", [(text_of(9), {"url": "http://new.example/nine"})])
    work = at_work(spark, crawl, tmp_path / "run")
    storage.remove(work.directory.path("shards"))  # as a changed fingerprint does
    after = extract(work)
    assert after["in"] == before["in"] + 2 and after["kept"] == before["kept"] + 1
    assert after["files_read_now"] in (2, 3)  # the new ones, and a.warc.gz where its copy of the third chapter went
    assert extract(at_work(spark, crawl, tmp_path / "anew"))["digest"] == after["digest"]


def test_survivors_do_not_depend_on_partitions_or_order(spark: SparkSession) -> None:
    rows = [
        row("p1", age=-20240101, address=b"u1", payload=b"x"),
        row("p2", age=-20250101, address=b"u1", payload=b"y"),
        row("p3", age=-20230101, address=b"u2", payload=b"y"),
        row("p4", age=-20250101, address=b"u3", payload=b"x"),
        row("p5", age=-20250101, address=b"u3", payload=b"x", kind=2),
        row("p6", age=0, address=None, payload=b"x"),
        row("p7", age=-20260101, address=b"u1", payload=b"z", verdict={"rule": "triage.words"}),
        row("p8", age=-20250101, address=b"u4", payload=b"w"),
    ]
    expected = {
        ("p1", "triage.same_url", "p2"),  # its body lives on elsewhere, but its address has a newer page
        ("p3", "triage.same_payload", "p2"),
        ("p5", "triage.same_payload", "p4"),  # the page itself before the text made of it
        ("p6", "triage.same_payload", "p4"),  # no date is oldest
    }
    for order, partitions in ((1, 1), (-1, 3), (1, 7)):
        frame = spark.createDataFrame(rows[::order], schema=FORM).repartition(partitions)
        found = duplicates(frame, TriageConfig()).collect()
        assert {(entry["id"], entry["rule"], entry["survivor"]) for entry in found} == expected


def row(identity: str, age: int, address: bytes | None, payload: bytes, kind: int = 0, verdict: Any = None) -> dict[str, Any]:
    full = {"measure": None, "bound": None, "detail": None, **verdict} if verdict else None
    return {
        "shard": 0, "source": "a", "key": identity, "id": identity, "age": age, "kind": kind, "address": address,
        "payload": payload, "digest": 0, "verdict": full,
    }  # fmt: skip


FORM = (
    "shard int, source string, key string, id string, age bigint, kind int, address binary, payload binary, digest int, "
    "verdict struct<rule: string, measure: double, bound: double, detail: string>"
)


def test_digests_in_headers_are_checked_and_bodies_compared_decoded(tmp_path: Path) -> None:
    path = tmp_path / "a.warc.gz"
    headers = {"headers": [("Content-Encoding", "gzip")]}
    warc(path, [(text_of(1), {}), (gzip.compress(text_of(1)), headers)], compress=False)
    path.write_bytes(re.sub(rb"(WARC-Payload-Digest: sha1:)\w{8}", rb"\1AAAAAAAA", path.read_bytes(), count=1))
    file = InputFile(str(path), "a.warc.gz", path.stat().st_size, "1")
    [batch] = looks(file, Warc(), RULES[0], ExtractConfig(), "")
    assert batch.schema == LOOKED
    found = batch.to_pylist()
    assert [entry["digest"] for entry in found] == [WRONG, RIGHT]
    assert found[0]["payload"] == found[1]["payload"] and found[0]["address"] != found[1]["address"]
    assert found[0]["id"] == document_id("a.warc.gz", found[0]["key"])
