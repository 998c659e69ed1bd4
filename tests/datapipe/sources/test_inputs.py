"""Which rule reads a file, and that a file read in parts by several tasks gives what it gives when it is read whole."""

from __future__ import annotations

import gzip
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from warcio.warcwriter import WARCWriter

from core import storage
from core.config import ConfigError
from datapipe.config import ExtractConfig, InputConfig
from datapipe.document import Document
from datapipe.sources.base import InputFile
from datapipe.sources.inputs import balanced, find, in_parts, part_name
from datapipe.sources.reading import documents
from tests.datapipe.sources.builders import RULES, small_corpus
from tests.made_corpus import respond
from tests.prose import article, page

CONFIG = ExtractConfig(languages=[])
LINES = InputConfig(glob="*", source="records", domain="Book", language="en")
PAGES = InputConfig(glob="*", source="warc", domain="WebText", language="en")


def given_file(path: Path) -> InputFile:
    info = storage.listing(str(path))[0]
    return InputFile(info.uri, path.name, info.size, info.version)


def read(file: InputFile, rule: InputConfig, most: int) -> tuple[int, list[Document]]:
    cut = in_parts([(file, rule)], most)
    return len(cut), [document for part, rule in cut for document in documents(part, rule, CONFIG)]


def same(path: Path, rule: InputConfig, most: int, parts: int) -> None:
    file = given_file(path)
    whole = list(documents(file, rule, CONFIG))
    count, found = read(file, rule, most)
    assert count == parts > 1 and len(whole) > 5
    assert sorted((d.id, d.row()["text"], d.verdict) for d in found) == sorted(
        (d.id, d.row()["text"], d.verdict) for d in whole
    )


@pytest.fixture(scope="module")
def crawl(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("parts") / "pages.warc.gz"
    with path.open("wb") as handle:
        writer = WARCWriter(handle, gzip=True)
        for n in range(14):
            respond(writer, f"http://one.example/{n}", page(n, "en"))
    return path


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    return small_corpus(tmp_path / "corpus")


@given(lengths=st.lists(st.integers(0, 60), min_size=8, max_size=20), most=st.integers(40, 300))
def test_every_line_belongs_to_one_part_wherever_the_cuts_fall(
    lengths: list[int], most: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("lines") / "lines.jsonl"
    texts = [("wörter 文字 " * 9)[:length] + str(n) for n, length in enumerate(lengths)]
    path.write_text(
        "".join(json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in texts) + "no JSON", encoding="utf-8"
    )
    file = given_file(path)
    same(path, LINES, most, max(1, -(-file.size // most))) if file.size > most else None


@pytest.mark.parametrize("most", [1500, 4000, 9000])
def test_a_crawl_file_is_entered_at_its_members(crawl: Path, most: int) -> None:
    same(crawl, PAGES, most, -(-crawl.stat().st_size // most))


def test_each_part_of_a_crawl_file_extracts_its_own_pages_alone(crawl: Path) -> None:
    parts = in_parts([(given_file(crawl), PAGES)], crawl.stat().st_size // 3)
    counts = [sum(1 for _ in documents(part, rule, CONFIG)) for part, rule in parts]
    assert sum(counts) == 14 and max(counts) <= 6


def test_damage_in_the_middle_is_reported_once_and_what_follows_it_is_read(crawl: Path, tmp_path: Path) -> None:
    raw = bytearray(crawl.read_bytes())
    raw[len(raw) // 2 : len(raw) // 2 + 300] = b"\xff" * 300
    path = tmp_path / "damaged.warc.gz"
    path.write_bytes(raw)
    file = given_file(path)
    whole = {(d.id, d.verdict.rule if d.verdict else None) for d in documents(file, PAGES, CONFIG)}
    for most in (1500, 3000, 5000, 7000):
        found = [(d.id, d.verdict.rule if d.verdict else None) for d in read(file, PAGES, most)[1]]
        assert len(found) == len(set(found)) and set(found) == whole


def test_a_crawl_file_that_cannot_be_entered_is_read_by_its_first_part(crawl: Path, tmp_path: Path) -> None:
    path = tmp_path / "plain.warc.gz"  # not compressed, whatever its name says
    path.write_bytes(gzip.decompress(crawl.read_bytes()))
    same(path, PAGES, 20_000, -(-path.stat().st_size // 20_000))


@pytest.mark.parametrize("options", [{}, {"key_field": "name"}, {"together": 3}])
def test_compressed_lines_are_worked_on_in_turn(options: dict[str, object], tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl.gz"
    rows = [{"text": article(str(n), "en", 2), "name": n % 4} for n in range(30)]
    path.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode())[:-12])  # and its end is cut off
    rule = InputConfig(glob="*", source="records", domain="Book", language="en", options=options)
    same(path, rule, 1000, min(8, -(-path.stat().st_size // 1000)))


def test_one_large_file_is_not_one_task(crawl: Path, tmp_path: Path) -> None:
    large = InputFile("large.jsonl", "large.jsonl", 1 << 30, "")
    small = [InputFile(f"{n}.jsonl", f"{n}.jsonl", 1 << 20, "") for n in range(40)]
    claimed = in_parts([(large, LINES), *((file, LINES) for file in small)], 128 << 20)
    groups = balanced(claimed, workers=2)
    weights = [sum(file.size // file.parts for file, _ in group) for group in groups]
    assert len(claimed) == 48 and max(weights) <= 160 << 20
    assert len({part_name(file, rule, CONFIG) for file, rule in claimed}) == 48


def test_a_stream_of_one_long_line_is_one_document(tmp_path: Path) -> None:
    path = tmp_path / "long.jsonl"
    out = io.StringIO()
    for text in ("short", "x" * 50_000, *["after"] * 5):
        out.write(json.dumps({"text": text}) + "\n")
    path.write_text(out.getvalue())
    same(path, LINES, 700, -(-path.stat().st_size // 700))


def test_a_part_is_read_anew_when_anything_it_depends_on_changes(corpus: Path) -> None:
    config = ExtractConfig(inputs=RULES)
    [(file, rule), *_] = find(config, str(corpus))
    names = {
        part_name(file, rule, config),
        part_name(replace(file, version="2"), rule, config),
        part_name(file, replace(rule, language="en"), config),
        part_name(file, rule, replace(config, languages=["zh"])),
        part_name(file, rule, replace(config, html=replace(config.html, main_text=0.5))),
    }
    assert len(names) == 5
    assert part_name(file, replace(rule, glob="other/*"), config) in names


def test_the_first_rule_that_names_a_file_reads_it(corpus: Path) -> None:
    rules = [InputConfig(glob="books/zh/1.txt", domain="ClassicalChinese"), *RULES]
    claimed = {file.path: rule.domain for file, rule in find(ExtractConfig(inputs=rules), str(corpus))}
    assert (claimed["books/zh/1.txt"], claimed["books/zh/2.txt"]) == ("ClassicalChinese", "Book")


def test_a_corpus_that_is_not_there_or_holds_nothing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such directory"):
        find(ExtractConfig(inputs=RULES), str(tmp_path / "none"), must_exist=True)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match=r"holds no file that extract.inputs names \(globs: web/\*.warc.gz"):
        find(ExtractConfig(inputs=RULES), str(tmp_path / "empty"), must_exist=True)


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_document_of_a_remote_corpus_names_its_file_below_the_corpus(slash: str) -> None:
    storage.write_text("memory://bucket/corpus/books/a.jsonl", json.dumps({"text": "some text"}))
    config = replace(CONFIG, inputs=[replace(LINES, glob="books/*.jsonl")])
    files = [file for file, _ in find(config, f"memory://bucket/corpus{slash}")]
    assert [(file.uri, file.path) for file in files] == [("memory://bucket/corpus/books/a.jsonl", "books/a.jsonl")]
