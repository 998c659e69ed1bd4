"""Real pages over loopback into WARC: the same file each time, nothing of this machine in it."""

from __future__ import annotations

import sys
from pathlib import Path

from warcio.archiveiterator import ArchiveIterator

from datapipe.crawl.capture import HOST, capture
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
