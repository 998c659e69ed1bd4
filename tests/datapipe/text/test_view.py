"""The shared view: units are found as a reader would find them, hashes say "the same", edits leave the rest alone."""

import re

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from datapipe.text.spans import Spans
from datapipe.text.view import TextView

TEXTS = st.lists(st.text(alphabet="ab Zé1.,|-\n我们かな…\u200b", max_size=60), min_size=1, max_size=5)


def strings(view: TextView, spans: Spans) -> list[str]:
    text = "".join(map(chr, view.codes.tolist()))
    return [text[start:end] for start, end in zip(spans.starts, spans.ends, strict=True)]


def test_words_are_runs_of_letters_and_digits_and_single_characters_of_chinese() -> None:
    view = TextView.of(["Don't panic: 我们有3.5GB", "cafe\u0301 カナ"])
    assert strings(view, view.words) == [
        "Don", "t", "panic", "我", "们", "有", "3", "5GB", "cafe\u0301", "カ", "ナ",
    ]  # fmt: skip
    assert view.words_of_documents.lengths.tolist() == [8, 3]


def test_lines_are_stripped_and_blank_ones_part_paragraphs() -> None:
    view = TextView.of(["  one \ntwo\n\n \nthree", "", "four"])
    assert strings(view, view.lines) == ["one", "two", "three", "four"]
    assert strings(view, view.paragraphs) == ["one \ntwo", "three", "four"]
    assert view.lines_of_documents.lengths.tolist() == [3, 0, 1]
    assert view.paragraphs_of_documents.lengths.tolist() == [2, 0, 1]


def test_the_content_of_a_table_row_stands_within_its_cell_marks() -> None:
    view = TextView.of(["| A whole article in a cell. |\n|  |  |\nplain"])
    assert strings(view, view.contents) == ["A whole article in a cell.", "plain"]
    assert len(view.lines) == 3


def test_the_same_words_have_the_same_hash_in_any_case_place_and_batch() -> None:
    first = TextView.of(["Alpha beta", "gamma ALPHA"])
    second = TextView.of(["x y z alpha"])
    assert first.word_hashes[0] == first.word_hashes[3] == second.word_hashes[3]
    assert len({*first.word_hashes.tolist(), *second.word_hashes.tolist()}) == 6


def test_anagrams_and_repetitions_have_hashes_of_their_own() -> None:
    words = ["ab", "ba", "aab", "aba", "aa", "aaa", "a", "b", "abab", "baba"]
    assert len(set(TextView.of([" ".join(words)]).word_hashes.tolist())) == len(words)


def test_taking_out_lines_keeps_all_else_and_drops_invisible_characters() -> None:
    view = TextView.of(["keep one\ngo now\nkeep\u200b two", "go too", "stay"])
    edited = view.without_lines(np.array([False, True, False, True, False]))
    assert [edited.text(place).strip("\n") for place in range(3)] == ["keep one\nkeep two", "", "stay"]
    assert edited.removed_words.tolist() == [2, 2, 0]


def test_a_phrase_is_found_in_any_case_and_at_its_place_even_after_letters_that_grow_in_lower_case() -> None:
    view = TextView.of(["\u0130\u0130 Privacy Policy and privacy policy"])
    assert view.find("privacy policy").tolist() == [3, 22]


def test_chosen_lines_become_documents_of_their_own() -> None:
    view = TextView.of(["one\n two \nthree", "four"])
    lines = view.of_lines(np.array([False, True, False, True]))
    assert [lines.text(place) for place in range(len(lines))] == ["two", "four"]


@given(TEXTS)
def test_words_and_lines_are_those_that_plain_python_finds(texts: list[str]) -> None:
    view = TextView.of(texts)
    words = re.compile(r"[我们かな]|[a-zA-Zé1]+")
    for place, text in enumerate(texts):
        assert view.text(place) == text
        own = view.words_of_documents
        found = strings(view, view.words)[own.starts[place] : own.ends[place]]
        assert found == words.findall(text)
    assert strings(view, view.lines) == [line.strip() for text in texts for line in text.split("\n") if line.strip()]


@given(TEXTS)
def test_a_document_is_seen_alike_alone_and_in_a_batch(texts: list[str]) -> None:
    view = TextView.of(texts)
    for place, text in enumerate(texts):
        alone, own = TextView.of([text]), view.words_of_documents
        assert view.word_hashes[own.starts[place] : own.ends[place]].tolist() == alone.word_hashes.tolist()
        assert view.ngrams.top(2)[place] == alone.ngrams.top(2)[0]
        assert view.ngrams.duplicated(3)[place] == alone.ngrams.duplicated(3)[0]
