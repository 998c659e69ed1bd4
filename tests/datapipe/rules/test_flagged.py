"""Flagged words: counted, as a share of the text, and by the lines that hold them."""

from datapipe.rules import lists
from datapipe.rules.flagged import flagged_words, line_share, share
from datapipe.text.lexicon import Lexicon
from datapipe.text.view import TextView

LIST = Lexicon({"bilge": 1.0, "rotten herring": 1.0, "臭鱼": 1.0})


def view(*texts: str) -> TextView:
    return TextView.of(texts, flagging=LIST)


def test_words_of_an_alphabet_count_whole_and_phrases_as_one() -> None:
    assert flagged_words(view("Bilge, rotten herring and bilge!", "bilges and a herring", "")).tolist() == [3, 0, 0]


def test_a_chinese_word_counts_wherever_its_characters_stand() -> None:
    assert flagged_words(view("一条臭鱼坏了一锅汤")).tolist() == [1]
    assert share(view("一条臭鱼坏了一锅汤")).tolist() == [2 / 9]


def test_the_share_is_of_word_characters_and_lines_count_once() -> None:
    assert share(view("bilge water", "clean water")).tolist() == [5 / 10, 0]
    assert line_share(view("bilge bilge\nwater\nrotten herring\nwater", "water")).tolist() == [2 / 4, 0]


def test_without_a_list_given_the_projects_own_is_used() -> None:
    [own, *_] = lists.flagged(()).phrases
    assert flagged_words(TextView.of([f"the {own} and the bilge"])).tolist() == [1]
