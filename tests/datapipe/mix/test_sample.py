"""What the vocabulary is trained on, in shares of the mix, and what is put aside: whole clusters, never both."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from datapipe.document import Document, to_batch
from datapipe.mix.ranks import RANK_BITS
from datapipe.mix.sample import Draw, aside_bounds, sample_bounds
from datapipe.mix.subdomains import with_entries

ALL = 1 << RANK_BITS
DRAW = Draw({"WebText": ALL, "Book": ALL // 2}, {"WebText": ALL // 5, "Book": ALL // 5}, seed=1)


def documents() -> list[Document]:
    """Pages of which every four are near copies, and long books."""
    pages = [Document("web", str(n), "WebText", f"page {n}", "en", cluster=f"copies {n // 4}") for n in range(800)]
    return pages + [Document("book", str(n), "Book", f"book {n} " * 9_000, "en") for n in range(20)]


def trained_on(draw: Draw, given: list[Document]) -> dict[str, str]:
    """The text that is drawn of each document, by id."""
    found: dict[str, str] = {}
    for row, text in draw.windows(to_batch(given)):
        found[given[row].id] = found.get(given[row].id, "") + text
    return found


def test_what_is_put_aside_is_never_trained_on_nor_are_its_near_copies() -> None:
    given = documents()
    aside = {d.cluster or d.id for d, out in zip(given, DRAW.aside(to_batch(given)).tolist(), strict=True) if out}
    found = trained_on(DRAW, given)
    drawn = {d.cluster or d.id for d in given if d.id in found}
    assert aside and drawn and not aside & drawn
    assert len(aside) == pytest.approx(0.2 * 220, abs=20)


def test_pages_are_drawn_whole_and_books_in_part() -> None:
    given = documents()
    drawn = trained_on(DRAW, given)
    books = {d.id: d.text for d in given if d.domain == "Book"}
    parts = [len(drawn[identity]) / len(text) for identity, text in books.items() if identity in drawn]
    assert 0 < min(parts) < 1
    assert all(drawn[d.id] == d.text for d in given if d.domain == "WebText" and d.id in drawn)


def test_the_draw_does_not_depend_on_how_documents_are_cut_into_batches() -> None:
    given = documents()
    apart: dict[str, str] = {}
    for start in range(0, len(given), 37):
        apart |= trained_on(DRAW, given[start : start + 37])
    assert apart == trained_on(DRAW, given)
    assert trained_on(replace(DRAW, seed=2), given) != apart


def entry(proportion: float, tokens: int = 1) -> dict[str, float]:
    return {"proportion": proportion, "selected_tokens": tokens}


def test_a_domain_gives_its_share_of_the_sample_or_all_that_is_not_put_aside() -> None:
    mix = {"WebText": entry(0.75), "Code": entry(0.25), "Book": entry(0.0, 0)}
    held = {"WebText": {"bytes_kept": 3_000}, "Code": {"bytes_kept": 100}}
    bounds = sample_bounds(1_000, mix, held, {"WebText": ALL // 2})
    assert bounds["WebText"] / ALL == pytest.approx(0.5)
    assert bounds["Code"] == ALL and "Book" not in bounds


def test_the_parts_of_a_domain_give_their_own_shares_whatever_each_has() -> None:
    """As where the languages of a domain are asked for in equal parts, and the trainer repeats the scarce one."""
    counts = {"WebText.en": 6_000, "WebText.zh": 2_000}
    given = [
        Document(part, str(n), "WebText", f"{part} {n:04d} ".ljust(50, "x")) for part in counts for n in range(counts[part])
    ]
    batch = with_entries(to_batch(given), [document.source for document in given])
    mix = {part: entry(0.5, count * 12) for part, count in counts.items()}
    draw = Draw(sample_bounds(40_000, mix, {"WebText": {"bytes_kept": 400_000}}, {}), {}, seed=1)
    drawn = Counter({part: 0 for part in counts})
    for row, text in draw.windows(batch):
        drawn[given[row].source] += len(text)
    assert drawn == {part: pytest.approx(20_000, rel=0.1) for part in counts}


def test_a_small_domain_gives_a_share_and_a_large_one_some_bytes() -> None:
    held = {"WebText": {"bytes_kept": 1_000_000}, "Code": {"bytes_kept": 1_000}, "Book": {"bytes_kept": 0}}
    bounds = aside_bounds(0.05, 10_000, held)
    assert {domain: bound / ALL for domain, bound in bounds.items()} == {
        "WebText": pytest.approx(0.01),
        "Code": pytest.approx(0.05),
    }
