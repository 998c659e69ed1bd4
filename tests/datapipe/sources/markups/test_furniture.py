"""What belongs to the printed page goes, and only where the whole text shows that it does."""

from __future__ import annotations

from datapipe.sources.markups import furniture
from tests.datapipe.sources.builders import CHINESE, SENTENCES

PROSE = ["\n".join(f"{sentence} That was in the year {1700 + n}." for sentence in SENTENCES) for n in range(60)]


def pages(mark: str = "{n}") -> str:
    return "\n".join(f"{line}\n{mark.format(n=n + 11)}" for n, line in enumerate(PROSE))


def test_bare_numbers_that_rise_from_page_to_page_are_page_numbers() -> None:
    assert furniture.without_page_numbers(pages()) == "\n".join(PROSE)


def test_chapter_numbers_and_numbers_that_do_not_rise_stay() -> None:
    chapters = "\n".join(f"{n}\n" + "\n".join(PROSE * 2) for n in range(1, 13))
    assert furniture.without_page_numbers(chapters) == chapters
    for rule in (lambda n: n * 7 % 10, lambda n: n):
        table = "\n".join(str(rule(n)) for n in range(30))
        assert furniture.without_page_numbers(table) == table


def test_running_heads_come_back_with_a_rising_number_on_either_side() -> None:
    assert furniture.without_running_heads(pages("THE OLD BRIDGE {n}")) == "\n".join(PROSE)
    assert furniture.without_running_heads(pages("{n}   The old bridge")) == "\n".join(PROSE)
    play = "\n".join(f"MILLER.\n{line}" for line in PROSE)
    assert furniture.without_running_heads(play) == play, "a speaker's name has no number"
    chapters = "\n".join(f"CHAPTER {n}\n{line}" for n, line in enumerate(PROSE, 1))
    assert furniture.without_running_heads(chapters) == chapters


def test_a_table_of_contents_goes_where_its_entries_come_back() -> None:
    names = ["The river", "The bridge", "The miller's letter", "The county"]
    body = "\n\n".join(f"## {name}\n\n{SENTENCES[n % 3]}" for n, name in enumerate(names))
    listed = "CONTENTS\n\n" + "\n".join(f"{name} ..... {n * 20 + 3}" for n, name in enumerate(names))
    assert furniture.without_contents(f"{listed}\n\n{body}").strip() == body
    many = [f"第{n}回　河水夜涨{n}" for n in "一二三四五六"]
    body = "\n\n".join(f"{name}\n\n{CHINESE[0]}" for name in many)
    assert furniture.without_contents("\n".join(many) + f"\n\n{body}").strip() == body, "a list of chapters without a heading"
    alone = f"CONTENTS\n\nWhat a person holds.\n{SENTENCES[0]}\n{SENTENCES[1]}"
    assert furniture.without_contents(alone) == alone


def test_a_word_cut_at_a_line_end_is_joined_and_keeps_a_hyphen_of_its_own() -> None:
    assert furniture.joined_words("The bro-\nken bridge") == "The broken bridge"
    assert furniture.joined_words("A well-known man, a well-\nknown bridge") == "A well-known man, a well-known bridge"
    assert furniture.joined_words("deep and dark, a deep-\ndark wood") == "deep and dark, a deep-dark wood"
    assert furniture.joined_words("today to day, to-\nday") == "today to day, today"
    assert furniture.joined_words("from Mon-\nDay on") == "from Mon-\nDay on"


def test_lines_of_a_failed_extraction_go() -> None:
    text = f"{SENTENCES[0]}\n(cid:12)(cid:7) = \ue001 + \ufffd\n{SENTENCES[1]} One box \u25a1 in a sentence stays."
    assert furniture.without_broken_lines(text) == f"{SENTENCES[0]}\n{SENTENCES[1]} One box \u25a1 in a sentence stays."


def test_a_page_scanned_twice_stays_once_and_a_refrain_stays() -> None:
    long = " ".join(SENTENCES)
    assert furniture.without_repeats(f"{long}\n\nO river!\n\nx\n\n{long}\n\nO river!").count(SENTENCES[0]) == 1
    assert furniture.without_repeats(f"{long}\n\nO river!\n\nx\n\n{long}\n\nO river!").count("O river!") == 2
