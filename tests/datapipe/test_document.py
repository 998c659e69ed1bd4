"""The record: ids that never depend on the machine, hashes, and text that UTF-8 can hold."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from datapipe.document import SCHEMA, Document, Verdict, content_hash, document_id, shard_of, to_batch, with_verdicts


def test_an_id_is_pinned_so_that_old_runs_stay_comparable() -> None:
    assert document_id("warc/a.warc.gz", "123") == document_id("warc/a.warc.gz", "123")
    assert document_id("warc/a.warc.gz", "123") != document_id("warc/a.warc.gz1", "23")
    assert len(document_id("", "")) == 32


@given(text=st.text(alphabet=st.characters(codec=None)))
def test_any_text_becomes_a_row_and_comes_back_as_utf8(text: str) -> None:
    batch = to_batch([Document("s", "k", "Book", text)])
    assert batch.schema == SCHEMA
    assert batch.column("text")[0].as_py() == text.encode("utf-8", "replace").decode("utf-8")


def test_a_lone_surrogate_in_any_field_becomes_a_row_under_the_id_of_the_key_as_it_came() -> None:
    odd, held = "caf\ud83d", "caf?"
    verdict = Verdict("r", detail=odd)
    document = Document(odd, odd, odd, odd, odd, odd, odd, odd, cluster="c", metadata={odd: odd}, verdict=verdict)
    [row] = to_batch([document]).to_pylist()
    assert [row[name] for name in ("source", "key", "domain", "text", "language", "url", "date", "title")] == [held] * 8
    assert row["metadata"] == [(held, held)] and row["verdict"]["detail"] == held
    assert row["id"] == document_id(odd, odd) != document_id(held, held)


@given(keys=st.sets(st.text(), min_size=1, max_size=50), shards=st.integers(1, 9))
def test_shards_are_in_range_and_follow_from_the_id(keys: set[str], shards: int) -> None:
    assert all(0 <= shard_of(document_id("s", key), shards) < shards for key in keys)


def test_an_edited_text_gets_its_own_content_hash() -> None:
    batch = with_verdicts(to_batch([Document("s", "k", "Book", "old")]), [Verdict("r", 1.0, 2.0)], ["new"])
    assert batch.column("content_hash")[0].as_py() == content_hash("new")
    assert batch.column("verdict")[0].as_py() == {"rule": "r", "measure": 1.0, "bound": 2.0, "detail": None}
