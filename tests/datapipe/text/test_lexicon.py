"""Phrases of a list are found as whole words, in Chinese as substrings, the same as a plain search finds them."""

from hypothesis import given
from hypothesis import strategies as st

from datapipe.text.lexicon import Lexicon, share_in
from datapipe.text.view import TextView


def found(texts: list[str], phrases: list[str]) -> list[list[str]]:
    view = TextView.of(texts)
    lexicon = Lexicon(dict.fromkeys(phrases, 1.0))
    matches = lexicon.find(view)
    result: list[list[str]] = [[] for _ in texts]
    for phrase, start in zip(matches.phrase.tolist(), matches.characters(view).starts, strict=True):
        result[int(view.documents.owner(start[None])[0])].append(lexicon.phrases[phrase])
    return result


def test_words_match_whole_and_in_either_case_and_chinese_anywhere() -> None:
    assert found(["Classic ASS, class", "他加微信号了"], ["ass", "微信"]) == [["ass"], ["微信"]]


def test_the_longest_phrase_counts_alone() -> None:
    assert found(["sign up now or sign up"], ["sign up", "up", "sign up now"]) == [["sign up now", "sign up"]]


def test_a_phrase_does_not_cross_lines_documents_or_long_gaps_but_small_marks() -> None:
    assert found(["free\nspins", "free", "spins free-spins free      spins 加 微 信"], ["free spins", "加微信"]) == [
        [], [], ["free spins", "加微信"]
    ]  # fmt: skip


def test_shares_are_of_word_characters_by_unit() -> None:
    view = TextView.of(["ab cd", "abcd", ""])
    matches = Lexicon({"ab": 1.0}).find(view)
    assert share_in(view, matches, view.words_of_documents).tolist() == [0.5, 0, 0]


def test_empty_lists_and_empty_texts_match_nothing() -> None:
    assert found(["a b"], ["", "..."]) == [[]]
    assert found([""], ["a", "a b"]) == [[]]


@given(
    st.lists(st.text("ab中文 ", max_size=30), min_size=1, max_size=4),
    st.lists(st.text("ab中文", min_size=1, max_size=3), max_size=4),
)
def test_one_word_phrases_are_found_as_a_plain_comparison_of_words_finds_them(texts: list[str], phrases: list[str]) -> None:
    phrases = [phrase for phrase in phrases if len(TextView.of([phrase]).words) == 1]
    view = TextView.of(texts)
    words = [[view.text(n)[s - o : e - o] for s, e in zip(
        view.words.starts[a:b], view.words.ends[a:b], strict=True)] for n, (a, b, o) in enumerate(zip(
            view.words_of_documents.starts, view.words_of_documents.ends, view.documents.starts, strict=True))]  # fmt: skip
    assert found(texts, phrases) == [[word for word in own if word in phrases] for own in words]
