"""Paragraph dedup as a stage: who keeps a shared paragraph, who loses it, and that the cut of the work does not matter."""

from dataclasses import replace
from functools import partial
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datapipe.config import DataConfig, DedupParagraphsConfig, ExtractConfig
from datapipe.document import Document, to_batch
from datapipe.stages.dedup_paragraphs import cut, dedup_paragraphs, paragraph_keys
from datapipe.work import ShardTask
from tests.conftest import MakeWork

FOOTER = "All rights reserved by the publisher of this page, write to the editor for a licence."
OWN = "The {n}th page speaks at some length of matters that no other page of this site has ever spoken of: {n}."
CONFIG = DedupParagraphsConfig()


def page(n: int, *more: str, domain: str = "WebText") -> Document:
    return Document(source="site", key=str(n), domain=domain, language="en", text="\n".join([OWN.format(n=n), *more]))


def outcome(directory: str, shards: int) -> dict[str, tuple[str, str | None]]:
    rows = {}
    for index in range(shards):
        for row in pq.read_table(f"{directory}/shards/{index:05d}.parquet").to_pylist():
            rows[row["key"]] = (row["text"], row["verdict"] and row["verdict"]["rule"])
    return rows


@pytest.mark.parametrize("shards", [1, 3])
def test_a_shared_footer_stays_on_one_page_only(make_work: MakeWork, shards: int) -> None:
    pages = [page(n, FOOTER.upper() if n % 2 else FOOTER, "short line") for n in range(6)]
    work = make_work("dedup_paragraphs", pages, DataConfig(extract=ExtractConfig(shards=shards)))
    facts = dedup_paragraphs(work)
    rows = outcome(work.directory.path(), shards)
    first = min(pages, key=lambda document: document.id)
    with_footer = [key for key, (text, _) in rows.items() if FOOTER.lower() in text.lower()]
    assert with_footer == [first.key], "the first by id keeps it, wherever the shards lie"
    assert all("short line" in text for text, _ in rows.values()), "short paragraphs are exempt"
    assert facts["removed"] == 0 and facts["paragraphs"]["repeated"] == 5


def test_a_copy_of_a_whole_page_is_removed_with_its_reason(make_work: MakeWork) -> None:
    pages = [page(7), replace(page(7), key="copy"), page(8)]
    work = make_work("dedup_paragraphs", pages, DataConfig(extract=ExtractConfig(shards=2)))
    facts = dedup_paragraphs(work)
    rows = outcome(work.directory.path(), 2)
    removed = max(pages[:2], key=lambda document: document.id)
    assert facts["by_rule"] == {"dedup_paragraphs.left": {"WebText": 1}}
    assert rows[removed.key] == (removed.text, "dedup_paragraphs.left"), "the ledger shows the text as it came"


def keys(documents: list[Document], config: DedupParagraphsConfig) -> list[int]:
    batches = paragraph_keys(iter([to_batch(documents)]), ShardTask(0, 1), config)
    return [row["hash"] for batch in batches for row in batch.to_pylist()]


@given(st.lists(st.lists(st.sampled_from([FOOTER, "short", OWN]), max_size=4), min_size=1, max_size=6), st.randoms())
def test_what_is_cut_does_not_depend_on_the_order_of_documents_or_the_batches(texts: list[list[str]], shuffle: Random) -> None:
    documents = [replace(page(n), text="\n".join(lines), url="http://a.b/") for n, lines in enumerate(texts)]

    def rows(cut: int) -> list[tuple]:
        batches = [to_batch(part) for part in (documents[:cut], documents[cut:]) if part]
        found = paragraph_keys(iter(batches), ShardTask(0, 1), CONFIG)
        return sorted(tuple(row.values()) for batch in found for row in batch.to_pylist())

    expected = rows(0)
    shuffle.shuffle(documents)
    assert rows(shuffle.randrange(len(documents) + 1)) == expected


@pytest.mark.parametrize("url", [None, "urn:uuid:1", "https://[email protected]/about"])
def test_a_page_of_a_url_that_names_no_host_is_compared_by_its_long_paragraphs_alone(url: str | None) -> None:
    document = replace(page(1, "short"), url=url)
    assert len(keys([document], CONFIG)) == 1
    assert len(keys([replace(document, url="http://a.org/")], CONFIG)) == 2


def test_in_scope_domain_only_pages_of_one_domain_are_compared() -> None:
    both = [page(1), page(1, domain="Book")]
    assert len(set(keys(both, CONFIG))) == 1
    assert len(set(keys(both, DedupParagraphsConfig(scope="domain")))) == 2


def test_exempt_domains_are_not_looked_at() -> None:
    assert keys([page(1, domain="Code")], CONFIG) == []


def test_drop_above_takes_every_copy_of_what_is_frequent_and_leaves_the_rest(make_work: MakeWork) -> None:
    pages = [page(n, FOOTER) for n in range(5)] + [page(0)]
    config = DedupParagraphsConfig(repeats="drop_above", above=3)
    settings = DataConfig(extract=ExtractConfig(shards=2), dedup_paragraphs=config)
    pages[-1] = replace(pages[-1], key="copy")
    work = make_work("dedup_paragraphs", pages, settings)
    dedup_paragraphs(work)
    rows = outcome(work.directory.path(), 2)
    assert all(FOOTER not in text and OWN.format(n=0)[:20] for text, _ in rows.values())
    assert rows["0"][0] == rows["copy"][0] == OWN.format(n=0), "twice is not above three"


def test_what_is_left_decides_whether_a_document_stays() -> None:
    document = page(1, FOOTER, FOOTER + " again")
    beside = pa.table({"id": [document.id], "positions": [[1, 2]], "furniture": [[]]})
    for bound, gone in ((0.3, False), (0.6, True)):
        config = DedupParagraphsConfig(min_left=bound)
        (batch,) = partial(cut, config=config)(iter([to_batch([document])]), ShardTask(0, 1, beside))
        verdict = batch.column("verdict")[0].as_py()
        assert (verdict is not None) == gone
        if verdict:
            assert verdict["rule"] == "dedup_paragraphs.left" and verdict["measure"] == pytest.approx(20 / 52, abs=0.05)


def test_short_lines_at_the_ends_of_many_pages_of_a_host_are_furniture(make_work: MakeWork) -> None:
    def of(host: str, n: int) -> Document:
        text = "\n".join(["Home", f"Title {n}", "Details", OWN.format(n=f"{host} {n}"), "Details", "Contact us"])
        return replace(page(n), source=host, text=text, url=f"https://{host}/{n}")

    pages = [of("many.org", n) for n in range(5)] + [of("few.org", n) for n in range(3)]
    pages.append(replace(of("many.org", 9), url=None))
    config = DedupParagraphsConfig(furniture=4)
    work = make_work("dedup_paragraphs", pages, DataConfig(extract=ExtractConfig(shards=2), dedup_paragraphs=config))
    dedup_paragraphs(work)
    rows = pa.concat_tables([pq.read_table(f"{work.directory.path()}/shards/{index:05d}.parquet") for index in range(2)])
    lines = {row["url"]: row["text"].split("\n") for row in rows.to_pylist()}
    assert lines["https://many.org/1"] == ["Title 1", "Details", OWN.format(n="many.org 1")], "a heading in the text stays"
    assert len(lines["https://few.org/1"]) == 6, "three pages are not more than four"
    assert len(lines[None]) == 6, "whose page it is must be known"


def test_furniture_is_counted_by_pages_however_often_a_page_repeats_a_line(make_work: MakeWork) -> None:
    row, pages = ["In stock"] * 11, []
    for n, host in enumerate(["one.org", "many.org", "many.org", "many.org"]):
        text = "\n".join([*row, OWN.format(n=2 * n), OWN.format(n=2 * n + 1), *row])
        pages.append(replace(page(n), text=text, url=f"https://{host}/{n}"))
    config = DedupParagraphsConfig(furniture=2)
    work = make_work("dedup_paragraphs", pages, DataConfig(extract=ExtractConfig(shards=2), dedup_paragraphs=config))
    facts = dedup_paragraphs(work)
    rows = outcome(work.directory.path(), 2)
    assert rows["0"] == (pages[0].text, None), "on one page of its host, 22 times"
    assert all(rows[str(n)][0].split("\n") == [OWN.format(n=2 * n), OWN.format(n=2 * n + 1)] for n in (1, 2, 3))
    assert facts["paragraphs"]["furniture"] == 3 * 22, "where a line is furniture, each time that it stands there goes"


def test_a_corpus_that_repeats_nothing_is_left_as_it_is(make_work: MakeWork) -> None:
    work = make_work("dedup_paragraphs", [page(1), page(2)], DataConfig(extract=ExtractConfig(shards=2)))
    facts = dedup_paragraphs(work)
    assert facts["removed"] == 0 and facts["paragraphs"] == {"compared": 2, "repeated": 0, "documents_cut": 0, "furniture": 0}
