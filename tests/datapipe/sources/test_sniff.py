"""What bodies are by their bytes, and what the reader of crawl files makes of headers that lie."""

from __future__ import annotations

from pathlib import Path

import pytest

from datapipe.sources.sniff import HTML, sniff
from tests.datapipe.sources.builders import SENTENCES, outcomes, page, read, warc

PAGE = page().encode()


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"%PDF-1.7 ...", "application/pdf"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"PK\x03\x04...", "application/zip"),
        (b"\x00\x00\x00\x18ftypmp42", "video/mp4"),
        (b'{"a": 1}', "application/json"),
        (b'[ {"a": 1}]', "application/json"),
        (b"<?xml version='1.0'?><rss></rss>", "text/xml"),
        (b"<?xml version='1.0'?><!DOCTYPE html><html>", HTML),
        (b"\xef\xbb\xbf\r\n <!-- a --><!DOCTYPE html>", HTML),
        (b"<div class=a>", HTML),
        (b"[1] a note {", ""),
        (b"Dear reader, <b>", ""),
        (b"", ""),
    ],
)
def test_bytes_show_what_a_body_is(body: bytes, kind: str) -> None:
    assert sniff(body) == kind


def test_of_a_text_only_a_whole_document_is_a_page() -> None:
    assert sniff(b"<p> is the tag of a paragraph", text=True) == ""
    assert sniff(b"<html><p>", text=True) == HTML


def test_headers_that_lie_do_not_decide(tmp_path: Path) -> None:
    text = " ".join(SENTENCES).encode()
    cases = [
        (b"%PDF-1.4 <html>", {"type": "text/html"}, "extract.content_type"),
        (b'{"html": "<p>x</p>"}', {"type": "text/html"}, "extract.content_type"),
        (PAGE, {"type": "application/octet-stream"}, "kept"),
        (PAGE, {"type": "text/plain"}, "kept"),
        (PAGE, {"type": ""}, "kept"),
        (text, {"type": "text/plain"}, "kept"),
        (text, {"type": "application/octet-stream"}, "extract.content_type"),
        (PAGE, {"type": "image/png"}, "extract.content_type"),
    ]
    warc(tmp_path / "a.warc.gz", [(body, facts) for body, facts, _ in cases])
    made = read(tmp_path / "a.warc.gz", source="warc")
    assert outcomes(made) == [rule for _, _, rule in cases]
    assert made[0].verdict is not None and made[0].verdict.detail == "application/pdf by its bytes, text/html declared"
    assert "<" not in made[3].text
