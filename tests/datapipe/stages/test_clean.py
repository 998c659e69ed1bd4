"""The stage: every document comes out once, with its verdict or its edited text, the same however batches are cut."""

import gzip
from pathlib import Path
from typing import Any

import pytest

from core.config import ConfigError
from datapipe.config import CleanConfig, DataConfig, ExtractConfig
from datapipe.document import Document, content_hash, to_batch
from datapipe.rules.sets import Bounds
from datapipe.shards import read_kept, shard_name
from datapipe.stages.clean import clean, clean_batch
from datapipe.work import Work
from tests.conftest import MakeWork
from tests.datapipe.rules.pages import CHINESE, ENGLISH, config

DOCUMENTS = [
    Document("s", "en", "WebText", ENGLISH, "en"),
    Document("s", "en lines", "WebText", ENGLISH + "Sign in to comment\n\n\n\nThe end of it all.", "en"),
    Document("s", "en short", "WebText", "Far too short.", "en"),
    Document("s", "zh", "WebText", CHINESE, "zh"),
    Document("s", "zh pii", "WebText", CHINESE + "联系电话：13912345678。\n", "zh", measures={"before": 1.0}),
    Document("s", "zh menu", "WebText", "首页新闻体育财经娱乐房产汽车教育旅游健康" * 12, "zh"),
    Document("s", "code", "Code", "int main() {\n  return 0;\n}\n", "code"),
    Document("s", "poem", "ClassicalChinese", "山有木而人不知其名，水有源而人不窮其始。", "zh"),
    Document("s", "bulgarian", "WebText", "Твърде кратко.", "bg"),
]


def cleaned(documents: list[Document], config: CleanConfig) -> dict[str, dict[str, Any]]:
    batch = clean_batch(to_batch(documents), Bounds(config), config)
    return {row["key"]: row for row in batch.to_pylist()}


def test_documents_are_judged_by_the_bounds_of_their_domain_and_language() -> None:
    rows = cleaned(DOCUMENTS, config())
    rules = {key: row["verdict"] and row["verdict"]["rule"] for key, row in rows.items()}
    assert rules == {
        "en": None, "en lines": None, "en short": "gopher.words", "zh": None, "zh pii": None,
        "zh menu": "chinese.punctuation", "code": None, "poem": None, "bulgarian": "gopher.words",
    }  # fmt: skip


def test_lines_and_personal_data_are_edited_and_counted_and_the_hash_follows() -> None:
    rows = cleaned(DOCUMENTS, config())
    assert rows["en lines"]["text"] == ENGLISH + "\nThe end of it all."
    assert rows["en lines"]["measures"] == [("lines:refinedweb.navigation", 1.0)]
    assert rows["en lines"]["content_hash"] == content_hash(ENGLISH + "\nThe end of it all.")
    assert "00000000000" in str(rows["zh pii"]["text"])
    assert rows["zh pii"]["measures"] == [("before", 1.0), ("pii:zh_mobile", 1.0)]


def test_what_needs_no_edit_stays_byte_for_byte_and_what_goes_keeps_its_text() -> None:
    rows = cleaned(DOCUMENTS, config())
    for document in DOCUMENTS:
        if document.key not in ("en lines", "zh pii"):
            assert rows[document.key]["text"] == document.text


def test_batches_may_be_cut_anywhere() -> None:
    together = cleaned(DOCUMENTS, config())
    for document in DOCUMENTS:
        assert cleaned([document], config())[document.key] == together[document.key]
    assert cleaned(DOCUMENTS[::-1], config()) == together


def test_flagged_words_come_from_the_lists_of_the_documents_language(tmp_path: Path) -> None:
    words = tmp_path / "words.gz"
    words.write_bytes(gzip.compress(b"# a comment\nferry\n"))
    page = Document("s", "ferry", "WebText", ENGLISH.replace("boat", "ferry").replace("the ", "ferry "), "en")
    french = Document("s", "french", "WebText", page.text, "fr")
    rows = cleaned([page, french], config(flagged_words={"en": [str(words)]}))
    assert rows["ferry"]["verdict"]["rule"] == "flagged.share"
    assert rows["french"]["verdict"] is None


def test_a_document_of_unreasonable_length_goes_unread() -> None:
    row = cleaned([Document("s", "long", "Book", "word " * 30, "en")], config(longest=100))["long"]
    assert row["verdict"] == {"rule": "clean.longest", "measure": 150.0, "bound": 100.0, "detail": None}


def test_personal_data_stays_where_no_kind_is_named() -> None:
    assert cleaned(DOCUMENTS, config(pii=[]))["zh pii"]["text"] == DOCUMENTS[4].text


def test_the_stage_keeps_or_removes_every_document(make_work: MakeWork) -> None:
    work: Work = make_work("clean", DOCUMENTS, DataConfig(extract=ExtractConfig(shards=2), clean=config()))
    facts = clean(work)
    assert (facts["in"], facts["kept"], facts["removed"]) == (9, 6, 3)
    assert facts["by_rule"] == {"chinese.punctuation": {"WebText": 1}, "gopher.words": {"WebText": 2}}
    kept = [
        key for shard in range(2) for batch in read_kept(work.directory.path("shards", shard_name(shard)))
        for key in batch.column("key").to_pylist()
    ]  # fmt: skip
    assert sorted(kept) == sorted(["en", "en lines", "zh", "zh pii", "code", "poem"])


def test_no_bounds_at_all_are_refused(make_work: MakeWork) -> None:
    with pytest.raises(ConfigError, match="extends: cleaning.yaml"):
        clean(make_work("clean", DOCUMENTS, DataConfig(clean=CleanConfig())))
