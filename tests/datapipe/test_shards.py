"""Shards: whole files, facts that add up, a digest that does not know how the rows were cut."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datapipe.document import Document, Verdict, shard_of, to_batch
from datapipe.shards import Tally, read_kept, shard_facts, shard_name, write_shard


def corpus(size: int) -> list[Document]:
    documents = []
    for n in range(size):
        verdict = Verdict("clean.short", float(n), 3.0) if n % 3 == 0 else None
        documents.append(Document("a.jsonl", str(n), "Book" if n % 2 else "Code", f"text {n} 文", "en", verdict=verdict))
    return documents


@given(size=st.integers(0, 40), shards=st.integers(1, 7), cut=st.integers(1, 9))
def test_facts_and_digest_are_those_of_the_rows_however_they_are_cut(size: int, shards: int, cut: int) -> None:
    documents = corpus(size)
    whole = Tally()
    whole.add(to_batch(documents))
    parts = Tally()
    for index in range(shards):
        own = [d for d in documents if shard_of(d.id, shards) == index]
        tally = Tally()
        for start in range(0, len(own), cut):
            tally.add(to_batch(own[start : start + cut]))
        parts.merge(tally.facts())
    assert parts.facts() == whole.facts()
    assert whole.facts()["kept"] + whole.facts()["removed"] == size


def test_only_kept_documents_are_read_back(tmp_path: Path) -> None:
    documents = corpus(10)
    uri = str(tmp_path / shard_name(0))
    facts = write_shard(uri, [to_batch(documents)])
    assert facts == shard_facts(uri)
    kept = [row for batch in read_kept(uri) for row in batch.to_pylist()]
    assert [row["key"] for row in kept] == [d.key for d in documents if d.verdict is None]
    assert facts["examples"]["clean.short"][0]["bound"] == 3.0


def test_a_shard_that_failed_on_the_way_is_not_there(tmp_path: Path) -> None:
    def broken() -> Iterator[pa.RecordBatch]:
        yield to_batch(corpus(3))
        raise RuntimeError("cut off")

    with pytest.raises(RuntimeError, match="cut off"):
        write_shard(str(tmp_path / shard_name(0)), broken())
    assert list(tmp_path.iterdir()) == []
