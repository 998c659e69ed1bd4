"""The demo's crawl: real pages over loopback into WARC, the same file each time, nothing of this machine in it."""

from __future__ import annotations

import sys
from pathlib import Path

from warcio.archiveiterator import ArchiveIterator

from core.run import Run
from datapipe.config import CrawlConfig
from datapipe.crawl import local
from datapipe.crawl.capture import HOST, capture
from datapipe.stages.crawl import crawl
from tests.datapipe.sources.builders import outcomes, read

PAGES = ["/json.html", "/difflib.html", "/no.such.module.html", "/textwrap.html"]


def test_pages_are_captured_and_the_same_pages_give_the_same_file(tmp_path: Path) -> None:
    assert capture(PAGES, [str(tmp_path / "a.warc.gz")], 1) == (4, 0)
    assert capture(PAGES, [str(tmp_path / "b.warc.gz")], 2) == (4, 0)
    assert (tmp_path / "a.warc.gz").read_bytes() == (tmp_path / "b.warc.gz").read_bytes()
    with open(tmp_path / "a.warc.gz", "rb") as stream:
        records = list(
            (record.rec_type, record.rec_headers.get_header("WARC-Target-URI")) for record in ArchiveIterator(stream)
        )
    assert records[0][0] == "warcinfo" and records[1:3] == [
        ("request", f"http://{HOST}/json.html"),
        ("response", f"http://{HOST}/json.html"),
    ]
    made = read(tmp_path / "a.warc.gz", source="warc")
    assert outcomes(made) == ["kept", "kept", "extract.http_status", "kept"]
    assert "JavaScript Object Notation" in made[0].text
    assert sys.base_prefix not in "".join(document.text for document in made)


def test_pages_are_listed_without_importing_anything() -> None:
    before = set(sys.modules)
    pages = local.module_pages(["hypothesis", "no_such_package"], 400)
    assert len(pages) == len(set(pages)) == 400
    assert "/json.html" in pages and any(page.startswith("/hypothesis") for page in pages)
    assert not {name for name in set(sys.modules) - before if name.startswith("hypothesis")}


def test_the_corpus_holds_pages_sources_licences_and_the_projects_own_documents(tmp_path: Path) -> None:
    directory = Run(str(tmp_path / "run")).stage("crawl")
    facts = crawl(CrawlConfig(pages=2, packages=[], code_bytes=100_000), directory)
    assert facts["pages"] == 2 and all(facts["texts"][kind] for kind in ("code", "licences", "readmes", "reference", "project"))
    code = read(
        Path(directory.path("code.jsonl.zst")), source="records", language="en", domain="Code", options={"key_field": "path"}
    )
    assert code[0].key.endswith(".py") and sum(len(document.text) for document in code) <= 100_000
