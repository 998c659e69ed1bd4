"""Text files: their encoding, their name, and what of them is one document."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tests.datapipe.sources.builders import CHINESE, outcomes, read


@pytest.mark.parametrize("encoding", ["big5", "gb18030"])
def test_a_novel_in_a_legacy_encoding_with_a_name_in_mojibake(tmp_path: Path, encoding: str) -> None:
    text = (
        "".join(CHINESE)
        if encoding == "gb18030"
        else "夜裡河水上漲，村裡的人還沒有發現，木橋就被沖走了。他寫信向縣裡求助，縣裡不理他。"
    )
    path = tmp_path / "Ñ├╝y¬@Ñ¡½ß.txt.gz"
    path.write_bytes(gzip.compress(("　　第一回\r\n　　" + text).encode(encoding)))
    [made] = read(path, source="text", domain="Book", markup="book", options={"encoding": "big5"})
    assert made.text == "第一回\n" + text and made.source == "Ñ├╝y¬@Ñ¡½ß.txt.gz"


def test_files_are_cut_at_a_pattern_or_by_lines(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one\ntwo\n\n\nthree\nfour\n\n\n\n\nfive")
    blocks = read(tmp_path / "a.txt", language="en", options={"between": r"\n{3,}"})
    assert [document.text for document in blocks] == ["one\ntwo", "three\nfour", "five"]
    lines = read(tmp_path / "a.txt", language="en", options={"lines": 2})
    assert [document.text for document in lines] == ["one\ntwo", "three\nfour", "five"]


def test_a_binary_file_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(bytes(range(128, 256)) * 20 + bytes(range(32)) * 9)
    assert outcomes(read(tmp_path / "a.txt")) == ["extract.binary"]
