"""Texts as hashed units: what counts as the same, what does not, and that batching changes nothing."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from datapipe.dedup.units import BLOCK, ngrams, portions, sequence_hashes, units

TEXTS = st.lists(st.text(alphabet="abcé éÉ\n.,-_19中文漢字かナ\u0301\u00ad\U00020000😀", max_size=60), max_size=8)


def hashes(text: str) -> list[int]:
    found: list[int] = units([text]).hashes.tolist()
    return found


def test_case_width_accents_punctuation_and_wrapping_do_not_count() -> None:
    plain = hashes("the cafe opened 2024 at noon")
    assert hashes("The CAFÉ opened, 2024 -- at\nnoon!") == plain
    assert hashes("The cafe\u0301 opened “２０２４” (at noon)") == plain
    assert hashes("the ca\u00adfe opened 2024 at noon") == plain, "a soft hyphen is no character"


def test_other_words_or_another_order_are_another_text() -> None:
    assert hashes("dog bites man") != hashes("man bites dog")
    assert hashes("abc") != hashes("acb")
    assert hashes("snow man") != hashes("snowman")


def test_chinese_and_kana_are_cut_into_characters_and_other_scripts_into_words() -> None:
    cut = units(["我用 Spark 3 处理数据。", "ひらがな", "привет мир"])
    assert cut.counts.tolist() == [8, 4, 2]
    assert cut.unspaced().tolist() == [True, True, False]
    assert cut.single.tolist() == [True, True, False, False] + [True] * 8 + [False, False]


def test_units_know_where_they_stand_in_their_own_text() -> None:
    texts = ["One, two.", "", "再来\u0301一遍 of it"]
    cut = units(texts)
    found = [
        [texts[d][cut.start[u] : cut.end[u]] for u in range(cut.offsets[d], cut.offsets[d + 1])] for d in range(len(texts))
    ]
    assert found == [["One", "two"], [], ["再", "来", "一", "遍", "of", "it"]]


@given(TEXTS)
@settings(max_examples=60, deadline=None)
def test_a_text_has_the_same_units_alone_and_in_any_batch(texts: list[str]) -> None:
    together = units(texts)
    for index, text in enumerate(texts):
        span = slice(together.offsets[index], together.offsets[index + 1])
        alone = units([text])
        for name in ("hashes", "single", "start", "end"):
            assert getattr(together, name)[span].tolist() == getattr(alone, name).tolist()


def test_long_texts_are_cut_into_blocks_without_a_trace() -> None:
    sentence = "Every block of text ends where no word runs on; 没有一个词被切开。"
    once = hashes(sentence)
    repeats = 3 * BLOCK // len(sentence)
    assert hashes(sentence * repeats) == once * repeats
    word = "x" * (2 * BLOCK + 17)
    assert hashes(f"a {word} b")[1] == hashes(word)[0]
    assert len(hashes("字" * (2 * BLOCK))) == 2 * BLOCK


@given(TEXTS, st.integers(1, 90))
@settings(max_examples=40, deadline=None)
def test_portions_cover_a_batch_in_order(texts: list[str], characters: int) -> None:
    cuts = list(portions(texts, characters))
    assert [index for cut in cuts for index in range(cut.start, cut.stop)] == list(range(len(texts)))
    assert all(sum(map(len, texts[cut])) <= characters or cut.stop - cut.start == 1 for cut in cuts)


def test_ngrams_depend_on_order_and_length() -> None:
    values = units(["a b c a b"]).hashes
    two = ngrams(values, 2)
    assert len(two) == 4 and two[0] == two[3] and len(set(two.tolist())) == 3
    assert len(ngrams(values, 6)) == 0
    assert not set(two.tolist()) & set(ngrams(values, 3).tolist())


def test_sequences_hash_by_content_and_order() -> None:
    values = units(["a b c a b c c b a"]).hashes
    runs = sequence_hashes(values, np.array([0, 3, 6, 9, 9]))
    assert runs[0] == runs[1] != runs[2]
    assert len(set(runs.tolist())) == 3
