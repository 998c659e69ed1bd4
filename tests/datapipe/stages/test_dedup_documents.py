"""Near-duplicates as a stage: who survives, who is removed for whom, and that the cut of the work does not matter."""

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from core.config import ConfigError
from datapipe.config import DataConfig, DedupDocumentsConfig, ExtractConfig
from datapipe.document import Document
from datapipe.stages.dedup_documents import RULE, WITHOUT_ROOM, dedup_documents
from tests.conftest import MakeWork

WORDS = [head + tail for head in "ba co du fe gi lo mu ne".split() for tail in "r st lk nd mp rk x zz".split()]


def prose(seed: int, words: int = 300) -> list[str]:
    draw = random.Random(seed)
    return [draw.choice(WORDS) for _ in range(words)]


def altered(words: list[str], every: int, seed: int) -> list[str]:
    """One word in `every` is another: a shingle of five survives where none of its words changed."""
    draw = random.Random(seed)
    return [draw.choice(WORDS) + "q" if n % every == every // 2 else word for n, word in enumerate(words)]


def page(key: str, words: list[str], **more: Any) -> Document:
    return Document(source="crawl", key=key, domain="WebText", language="en", text=" ".join(words), **more)


def rows(directory: str, shards: int) -> dict[str, dict]:
    tables = [pq.read_table(f"{directory}/shards/{index:05d}.parquet") for index in range(shards)]
    return {row["key"]: row for table in tables for row in table.to_pylist()}


def corpus() -> list[Document]:
    base = prose(1)
    return [
        page("best", base, quality=0.9),
        page("copy", base, quality=0.8),
        page("near", altered(base, 100, 1), quality=0.7),
        page("far", altered(base, 9, 2), quality=0.9),
        page("long", prose(2) + ["end"]),
        page("short", prose(2)),
        page("old", prose(3), date="2011-01-01"),
        page("young", prose(3), date="2012-01-01"),
        page("alone", prose(4)),
        page("empty", []),
        page("blank", ["--"]),
    ]


@pytest.mark.parametrize(("shards", "driver_edges"), [(1, 1000), (4, 2)], ids=["driver", "graphx"])
def test_the_best_copy_survives_and_the_others_name_it(make_work: MakeWork, shards: int, driver_edges: int) -> None:
    documents = corpus()
    config = DedupDocumentsConfig(driver_edges=driver_edges)
    work = make_work("dedup_documents", documents, DataConfig(extract=ExtractConfig(shards=shards), dedup_documents=config))
    facts = dedup_documents(work)
    found = rows(work.directory.path(), shards)
    removed = {key for key, row in found.items() if row["verdict"]}
    assert removed == {"copy", "near", "short", "young"}, "quality decides first, then length, then the earlier date"
    ids = {document.key: document.id for document in documents}
    assert found["copy"]["verdict"] == {"rule": RULE, "measure": 1.0, "bound": 0.8, "detail": f"near to {ids['best']}"}
    assert 0.8 <= found["near"]["verdict"]["measure"] < 1
    for member, head in (("best", "best"), ("copy", "best"), ("near", "best"), ("short", "long"), ("young", "old")):
        assert found[member]["cluster"] == ids[head]
    for key in ("far", "alone", "empty", "blank"):
        assert found[key]["cluster"] == ids[key]
    assert facts["near_duplicates"]["clusters"] == 3 and facts["near_duplicates"]["without_room"] == 0
    assert facts["kept"] == 7


def test_a_document_is_not_removed_for_a_chain(make_work: MakeWork) -> None:
    steps = [prose(5, 400)]
    for step in range(3):
        steps.append([*steps[-1][12:], *prose(100 + step, 12)])
    documents = [page(str(n), words, quality=1 - n / 10) for n, words in enumerate(steps)]
    config = DedupDocumentsConfig(threshold=0.9)
    work = make_work("dedup_documents", documents, DataConfig(extract=ExtractConfig(shards=2), dedup_documents=config))
    dedup_documents(work)
    found = rows(work.directory.path(), 2)
    assert len({row["cluster"] for row in found.values()}) == 1, "the chain is one cluster"
    gone = {key: row["verdict"]["detail"] for key, row in found.items() if row["verdict"]}
    assert gone == {"1": f"near to {documents[0].id}", "3": f"near to {documents[2].id}"}


def test_a_later_run_is_compared_with_an_earlier_one_without_its_text(make_work: MakeWork, tmp_path: Path) -> None:
    settings = DataConfig(extract=ExtractConfig(shards=2))
    first = make_work("dedup_documents", corpus(), settings)
    dedup_documents(first)
    (tmp_path / "run").rename(tmp_path / "earlier")
    for index in range(2):
        (tmp_path / "earlier" / "dedup_documents" / "shards" / f"{index:05d}.parquet").unlink()
    fresh = [
        replace(page("again", altered(prose(1), 100, 7), quality=1.0), source="crawl 2"),
        replace(page("new", prose(9)), source="crawl 2"),
        replace(page("new copy", prose(9)), source="crawl 2"),
    ]
    against = DedupDocumentsConfig(against=[str(tmp_path / "earlier")])
    work = make_work("dedup_documents", fresh, replace(settings, dedup_documents=against, extract=ExtractConfig(shards=3)))
    dedup_documents(work)
    found = rows(work.directory.path(), 3)
    best = corpus()[0].id
    assert found["again"]["verdict"]["detail"] == f"near to {best}", "better quality does not help against what is there"
    assert found["again"]["cluster"] == best
    assert sum(row["verdict"] is not None for row in found.values()) == 2

    other = replace(against, words=4)
    work = make_work("dedup_documents", fresh, replace(settings, dedup_documents=other))
    with pytest.raises(ConfigError, match="words = 4, but the index of .* was made with 5"):
        dedup_documents(work)


def test_a_document_that_finds_no_room_stays_and_says_so(make_work: MakeWork) -> None:
    """Copies change a word in twelve: many share a band, none is near enough to another."""
    documents = [page(str(n), altered(prose(1, 600), 12, n), quality=1 - n / 100) for n in range(12)]
    config = DedupDocumentsConfig(leaders=1, bands=60, rows=2)
    work = make_work("dedup_documents", documents, DataConfig(extract=ExtractConfig(shards=2), dedup_documents=config))
    facts = dedup_documents(work)
    crowded = {key for key, row in rows(work.directory.path(), 2).items() if WITHOUT_ROOM in dict(row["measures"] or [])}
    assert facts["removed"] == 0 and crowded and "0" not in crowded
    assert facts["near_duplicates"]["without_room"] == len(crowded)


def test_an_earlier_run_that_has_not_finished_is_refused(make_work: MakeWork, tmp_path: Path) -> None:
    config = DedupDocumentsConfig(against=[str(tmp_path / "nothing")])
    work = make_work("dedup_documents", corpus(), DataConfig(extract=ExtractConfig(shards=1), dedup_documents=config))
    with pytest.raises(ConfigError, match="nothing has no .*index.json"):
        dedup_documents(work)


def test_a_corpus_without_copies_loses_nothing(make_work: MakeWork) -> None:
    documents = [page("one", prose(1)), page("two", prose(2))]
    work = make_work("dedup_documents", documents, DataConfig(extract=ExtractConfig(shards=2)))
    facts = dedup_documents(work)
    assert facts["removed"] == 0 and facts["near_duplicates"]["clusters"] == 0
