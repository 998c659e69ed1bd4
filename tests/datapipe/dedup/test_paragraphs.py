"""Paragraphs: where they begin and end, when two are the same, and what is left when some are cut out."""

from hypothesis import given, settings
from hypothesis import strategies as st

from datapipe.dedup.paragraphs import paragraphs, to_cut, without
from datapipe.dedup.units import units

TEXTS = st.lists(st.text(alphabet="ab文 \n.-", max_size=40), min_size=1, max_size=6)


def pieces(text: str, wrapped_from: float = 0.05) -> list[str]:
    found = paragraphs([text], wrapped_from)
    bounds = [*found.begin.tolist(), len(text)]
    return [text[a:b].strip() for a, b in zip(bounds, bounds[1:], strict=False)]


def test_a_page_without_blank_lines_has_a_paragraph_a_line() -> None:
    assert pieces("One line.\nAnother line.\nThe last.") == ["One line.", "Another line.", "The last."]


def test_wrapped_text_ends_its_paragraphs_at_blank_lines() -> None:
    assert pieces("It was a dark\nand stormy night.\n\nThe rain fell\nin torrents.\n") == [
        "It was a dark\nand stormy night.",
        "The rain fell\nin torrents.",
    ]


def test_one_blank_line_does_not_make_a_page_of_lines_a_wrapped_text() -> None:
    page = "\n".join(f"line {n} of a page" for n in range(40)) + "\n\nfooter text"
    assert len(pieces(page)) == 41


def test_paragraphs_are_equal_by_their_words_alone() -> None:
    one = paragraphs(["All rights reserved, 2024.\nSomething else", "ALL RIGHTS\nRESERVED 2024\n\nmore"], 0.05)
    assert one.hashes[0] == one.hashes[2]
    assert one.units.tolist() == [4, 2, 4, 1]
    assert one.offsets.tolist() == [0, 2, 4]


def test_chinese_paragraphs_are_counted_in_characters() -> None:
    found = paragraphs(["版权所有，翻版必究。\nCopyright of this page"], 0.05)
    assert found.units.tolist() == [8, 4]
    assert found.unspaced.tolist() == [True, False]


def test_cutting_leaves_the_other_paragraphs_as_they_were() -> None:
    text = "***\nFirst one.\n\nSecond,\n  indented.\n\nThird."
    found = paragraphs([text], 0.05).begin.tolist()
    assert without(text, found, {1}) == "***\nFirst one.\n\nThird."
    assert without(text, found, {0}) == "Second,\n  indented.\n\nThird."
    assert without(text, found, {2}) == "***\nFirst one.\n\nSecond,\n  indented."
    assert without(text, found, {0, 1, 2}) == ""
    assert without(text, found, set()) == text


def test_documents_without_a_word_have_no_paragraphs() -> None:
    found = paragraphs(["", "---\n...", "a"], 0.05)
    assert found.offsets.tolist() == [0, 0, 0, 1]


@given(TEXTS)
@settings(max_examples=80, deadline=None)
def test_batching_changes_nothing_and_every_character_belongs_to_one_paragraph(texts: list[str]) -> None:
    together = paragraphs(texts, 0.3)
    for index, text in enumerate(texts):
        span = slice(together.offsets[index], together.offsets[index + 1])
        alone = paragraphs([text], 0.3)
        assert together.hashes[span].tolist() == alone.hashes.tolist()
        assert together.begin[span].tolist() == alone.begin.tolist()
        if len(alone.begin):
            assert without(text, alone.begin.tolist(), set()) == text
            assert alone.begin[0] == 0 and sorted(set(alone.begin.tolist())) == alone.begin.tolist()


PLACES = st.sets(st.integers(0, 7))


@given(st.integers(0, 8), PLACES, PLACES)
def test_furniture_goes_from_the_ends_inwards_and_what_is_repeated_goes_anywhere(
    count: int, repeated: set[int], furniture: set[int]
) -> None:
    repeated, furniture = ({place for place in places if place < count} for places in (repeated, furniture))
    gone = to_cut(count, repeated, furniture)
    assert repeated <= gone <= repeated | furniture
    kept = [place for place in range(count) if place not in gone]
    if kept:
        assert not {kept[0], kept[-1]} & furniture
        assert {place for place in furniture - repeated if kept[0] < place < kept[-1]}.isdisjoint(gone)
    assert to_cut(count, repeated, set()) == repeated


@given(TEXTS, st.sets(st.integers(0, 5)))
def test_what_is_left_after_a_cut_is_the_units_of_the_other_paragraphs(texts: list[str], dropped: set[int]) -> None:
    for text in texts:
        found = paragraphs([text], 0.3)
        before, begin = units([text]).hashes.tolist(), 0
        expected: list[int] = []
        for place, size in enumerate(found.units.tolist()):
            expected += before[begin : begin + size] if place not in dropped else []
            begin += size
        assert units([without(text, found.begin.tolist(), dropped)]).hashes.tolist() == expected
