"""Crawl archives: pages are kept, whatever else is in them is on the ledger with its reason, damage included."""

from __future__ import annotations

import gzip
import io
import zlib
from pathlib import Path

import brotli
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from warcio.archiveiterator import ArchiveIterator

from datapipe.config import ExtractConfig, HtmlConfig
from tests.datapipe.sources.builders import CHINESE, SENTENCES, outcomes, page, read, warc

PAGE = page().encode()


def test_a_page_becomes_a_document_with_its_address_title_and_date(tmp_path: Path) -> None:
    path = tmp_path / "a.warc.gz"
    offsets = warc(path, [(PAGE, {"url": "http://example.org/bridge"})])
    [made] = read(path, source="warc")
    assert made.verdict is None and made.text.endswith(SENTENCES[-1])
    assert (made.url, made.title, made.language, made.key) == ("http://example.org/bridge", "A bridge", "en", str(offsets[0]))
    assert made.date is not None and made.date.endswith("Z")


def test_what_is_no_page_goes_to_the_ledger_with_its_reason(tmp_path: Path) -> None:
    path = tmp_path / "a.warc.gz"
    cases = [
        (PAGE, {}, "kept"),
        (PAGE, {"status": "404 Not Found"}, "extract.http_status"),
        (b"", {"status": "301 Moved"}, "extract.http_status"),
        (PAGE, {"type": "application/pdf"}, "extract.content_type"),
        (b"", {}, "extract.empty"),
        (b" \n\t", {}, "extract.empty"),
        (b"<html><body><script>var a = 1;</script></body></html>", {}, "extract.no_text"),
        (bytes(range(32)) * 40 + b"<html>", {}, "extract.binary"),
        (b"<div>" * 20_000 + b"deep" + b"</div>" * 20_000, {}, "extract.too_deep"),
        (page(["word"] * 100_001).encode(), {}, "extract.too_many_elements"),
        (page(("Η γέφυρα παρασύρθηκε τη νύχτα και κανείς στο χωριό δεν το πρόσεξε.",) * 3).encode(), {}, "extract.language"),
        (b"", {"kind": "revisit"}, "extract.revisit"),
        ("\n".join(CHINESE).encode(), {"kind": "conversion", "type": "text/plain"}, "kept"),
        (PAGE, {"kind": "resource", "type": "text/html"}, "kept"),
        (b"GIF89a", {"kind": "resource", "type": "image/gif"}, "extract.content_type"),
    ]
    warc(path, [(body, facts) for body, facts, _ in cases])
    assert outcomes(read(path, source="warc")) == [rule for _, _, rule in cases]


def test_requests_and_descriptions_of_the_crawl_are_no_documents(tmp_path: Path) -> None:
    path = tmp_path / "a.warc.gz"
    warc(path, [(b"GET / HTTP/1.1\r\n\r\n", {"kind": "request"}), (b"note: x", {"kind": "metadata"})])
    assert read(path, source="warc") == []


@pytest.mark.parametrize("compress", [True, False])
def test_a_cut_file_keeps_what_came_before_and_says_where_it_was_cut(tmp_path: Path, compress: bool) -> None:
    path = tmp_path / "cut.warc.gz"
    offsets = warc(path, [(PAGE, {})] * 4, compress)
    path.write_bytes(path.read_bytes()[: offsets[3] + 300])
    made = read(path, source="warc")
    assert outcomes(made) == ["kept", "kept", "kept", "extract.truncated_file"]
    assert made[-1].verdict is not None and made[-1].verdict.measure == offsets[3]
    assert "3 records read before it are kept" in str(made[-1].verdict.detail)


def test_warcio_alone_ends_silently_where_a_file_is_cut(tmp_path: Path) -> None:
    """The reason for the reader's own decompression; should this fail one day, it may be dropped."""
    path = tmp_path / "cut.warc.gz"
    offsets = warc(path, [(PAGE, {})] * 2)
    with io.BytesIO(path.read_bytes()[: offsets[1] + 300]) as stream:
        assert [record.rec_type for record in ArchiveIterator(stream)] == ["warcinfo", "response", "response"]


def test_a_corrupt_member_is_reported_and_the_records_after_it_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "corrupt.warc.gz"
    offsets = warc(path, [(PAGE, {"url": f"http://example.org/{number}"}) for number in range(5)])
    data = bytearray(path.read_bytes())
    data[offsets[2] + 200] ^= 0xFF
    path.write_bytes(bytes(data))
    made = read(path, source="warc")
    assert outcomes(made) == ["kept", "kept", "extract.corrupt_record", "kept", "kept"]
    assert made[2].verdict is not None and made[2].verdict.measure == offsets[2]
    assert [document.url for document in made if document.verdict is None] == [f"http://example.org/{n}" for n in (0, 1, 3, 4)]


def test_a_record_without_sense_is_reported_and_the_next_one_is_read(tmp_path: Path) -> None:
    path = tmp_path / "nonsense.warc"
    offsets = warc(path, [(PAGE, {})] * 3, compress=False)
    data = path.read_bytes()
    broken = data[offsets[1] : offsets[2]].replace(b"WARC/1.0", b"XXXX/1.0", 1)
    path.write_bytes(data[: offsets[1]] + broken + data[offsets[2] :])
    assert outcomes(read(path, source="warc")) == ["kept", "extract.corrupt_record", "kept"]


def test_one_gzip_member_for_the_whole_file_is_read(tmp_path: Path) -> None:
    plain, path = tmp_path / "plain.warc", tmp_path / "whole.warc.gz"
    warc(plain, [(PAGE, {})] * 3, compress=False)
    path.write_bytes(gzip.compress(plain.read_bytes()))
    made = read(path, source="warc")
    assert outcomes(made) == ["kept"] * 3 and len({document.key for document in made}) == 3


def test_arc_files_are_read(tmp_path: Path) -> None:
    body = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + PAGE
    about = b"1 0 Test\nURL IP-address Archive-date Content-type Archive-length\n"
    head = b"filedesc://a.arc 0.0.0.0 20080430204825 text/plain %d\n%s\n" % (len(about), about)
    line = b"http://example.org/ 127.0.0.1 20080430204826 text/html %d\n" % len(body)
    (tmp_path / "a.arc").write_bytes(head + line + body + b"\n")
    [made] = read(tmp_path / "a.arc", source="warc")
    assert (made.verdict, made.url) == (None, "http://example.org/")


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "raw", "identity", "untrue"])
def test_bodies_are_decoded(tmp_path: Path, coding: str) -> None:
    raw = zlib.compressobj(wbits=-15)
    bodies = {
        "gzip": gzip.compress(PAGE), "deflate": zlib.compress(PAGE), "br": brotli.compress(PAGE),
        "raw": raw.compress(PAGE) + raw.flush(), "identity": PAGE, "untrue": PAGE,
    }  # fmt: skip
    declared = {"raw": "deflate", "untrue": "gzip"}.get(coding, coding)
    warc(tmp_path / "a.warc.gz", [(bodies[coding], {"headers": [("Content-Encoding", declared)]})])
    assert outcomes(read(tmp_path / "a.warc.gz", source="warc")) == ["kept"]


def test_chunked_bodies_are_put_together(tmp_path: Path) -> None:
    chunked = b"%x\r\n%s\r\n%x;name=value\r\n%s\r\n0\r\n\r\n" % (100, PAGE[:100], len(PAGE) - 100, PAGE[100:])
    facts = {"headers": [("Transfer-Encoding", "chunked")]}
    warc(tmp_path / "a.warc.gz", [(chunked, facts), (PAGE, facts)])
    first, second = read(tmp_path / "a.warc.gz", source="warc")
    assert first.verdict is None and first.text == second.text


def test_a_decompression_bomb_is_refused(tmp_path: Path) -> None:
    limits = ExtractConfig(html=HtmlConfig(max_bytes=1_000_000))
    warc(tmp_path / "a.warc.gz", [(gzip.compress(b"<p>" * 30_000_000), {"headers": [("Content-Encoding", "gzip")]})])
    assert outcomes(read(tmp_path / "a.warc.gz", limits, source="warc")) == ["extract.too_large"]


@pytest.mark.parametrize("declared", ["gb2312", "utf-8", None])
def test_chinese_pages_are_read_by_what_their_bytes_are(tmp_path: Path, declared: str | None) -> None:
    facts = {"type": f"text/html; charset={declared}" if declared else "text/html"}
    warc(tmp_path / "a.warc.gz", [(page(CHINESE * 3, title="桥").encode("gb18030"), facts)])
    [made] = read(tmp_path / "a.warc.gz", source="warc")
    assert made.verdict is None and CHINESE[1] in made.text and made.language == "zh"


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.integers(1, 255))
def test_no_damage_of_any_kind_stops_the_reading(tmp_path_factory: pytest.TempPathFactory, place: int, change: int) -> None:
    path = tmp_path_factory.mktemp("damage") / "a.warc.gz"
    warc(path, [(PAGE, {})] * 3)
    data = bytearray(path.read_bytes())
    data[place % len(data)] ^= change
    path.write_bytes(bytes(data))
    made = outcomes(read(path, source="warc"))
    assert made.count("kept") >= 1 and len(made) >= 2
