"""When a stage is up to date."""

from __future__ import annotations

from core.line import STAGES, active, fingerprint, stage
from core.storage import FileInfo


def test_every_stage_reads_only_stages_before_it() -> None:
    seen: set[str] = set()
    for entry in STAGES:
        assert set(entry.reads) <= seen
        seen.add(entry.name)


def test_with_a_corpus_there_is_no_crawl() -> None:
    names = [entry.name for entry in active("somewhere")]
    assert "crawl" not in names
    assert active("somewhere")[0].reads == ()
    assert active("")[0].name == "crawl"


def test_a_fingerprint_follows_settings_upstream_and_inputs_and_nothing_else() -> None:
    entry = stage("clean")
    base = fingerprint(entry, {"clean": {"a": 1}, "spark": {"master": "x"}}, {"extract": "e"})
    assert base == fingerprint(entry, {"clean": {"a": 1}, "spark": {"master": "y"}}, {"extract": "e"})
    assert base != fingerprint(entry, {"clean": {"a": 2}}, {"extract": "e"})
    assert base != fingerprint(entry, {"clean": {"a": 1}}, {"extract": "f"})
    assert base != fingerprint(entry, {"clean": {"a": 1}}, {"extract": "e"}, [FileInfo("f", 1, "2")])
