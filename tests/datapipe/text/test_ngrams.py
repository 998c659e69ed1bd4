"""Counting n-grams on hashes gives what counting them as strings gives."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datapipe.text.view import TextView

DOCUMENTS = st.lists(st.lists(st.sampled_from(["a", "bb", "ccc", "d"]), max_size=40), min_size=1, max_size=4)


def naive_top(words: list[str], n: int) -> float:
    grams = Counter(tuple(words[at : at + n]) for at in range(len(words) - n + 1))
    repeated = [(count, sum(map(len, gram))) for gram, count in grams.items() if count > 1]
    if not repeated:
        return 0.0
    count, size = max(repeated)
    return min(1.0, count * size / sum(map(len, words)))


def naive_duplicated(words: list[str], n: int) -> float:
    seen: set[tuple[str, ...]] = set()
    covered = [False] * len(words)
    for at in range(len(words) - n + 1):
        gram = tuple(words[at : at + n])
        if gram in seen:
            covered[at : at + n] = [True] * n
        seen.add(gram)
    whole = sum(map(len, words))
    return sum(len(word) for word, inside in zip(words, covered, strict=True) if inside) / whole if whole else 0.0


@given(DOCUMENTS)
def test_counts_equal_those_of_plain_python(documents: list[list[str]]) -> None:
    view = TextView.of([" ".join(words) for words in documents])
    for n in (2, 3, 4, 7, 10):
        assert view.ngrams.top(n).tolist() == pytest.approx([naive_top(words, n) for words in documents])
        assert view.ngrams.duplicated(n).tolist() == pytest.approx([naive_duplicated(words, n) for words in documents])


@given(DOCUMENTS)
def test_shares_lie_between_none_and_all(documents: list[list[str]]) -> None:
    ngrams = TextView.of(["".join(words) + "我我我" for words in documents]).ngrams
    for n in range(2, 14):
        for share in (ngrams.top(n), ngrams.duplicated(n)):
            assert ((share >= 0) & (share <= 1)).all()


def test_what_two_documents_share_is_no_repetition() -> None:
    ngrams = TextView.of(["the same five words here", "the same five words here"]).ngrams
    assert ngrams.top(2).tolist() == [0.0, 0.0]
    assert ngrams.duplicated(5).tolist() == [0.0, 0.0]


def test_the_first_occurrence_does_not_count_as_duplicate() -> None:
    assert TextView.of(["a b c d e f a b c d e"]).ngrams.duplicated(5)[0] == pytest.approx(5 / 11)


def test_chinese_ngrams_are_of_characters_and_know_no_spaces() -> None:
    plain, spaced = TextView.of(["春风春风", "春 风 春 风"]).ngrams.top(2)
    assert plain == spaced == 1.0


def test_a_single_word_has_no_ngrams() -> None:
    with pytest.raises(ValueError, match="n must be 2"):
        TextView.of(["word"]).ngrams.top(1)
