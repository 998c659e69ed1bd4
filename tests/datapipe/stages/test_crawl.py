"""The stage that makes the demo's corpus: pages from loopback, and local texts of each kind."""

from __future__ import annotations

from pathlib import Path

from core.run import Run
from datapipe.config import CrawlConfig
from datapipe.stages.crawl import crawl
from tests.datapipe.sources.builders import read


def test_the_corpus_holds_pages_sources_licences_and_the_projects_own_documents(tmp_path: Path) -> None:
    directory = Run(str(tmp_path / "run")).stage("crawl")
    facts = crawl(CrawlConfig(pages=2, packages=[], code_bytes=100_000), directory)
    assert facts["pages"] == 2 and all(facts["texts"][kind] for kind in ("code", "licences", "readmes", "reference", "project"))
    code = read(
        Path(directory.path("code.jsonl.zst")), source="records", language="en", domain="Code", options={"key_field": "path"}
    )
    assert code[0].key.endswith(".py") and sum(len(document.text) for document in code) <= 100_000
