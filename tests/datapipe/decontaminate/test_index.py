"""Finding items: verbatim, rewrapped, repunctuated, short; and not finding what is not there."""

import textwrap
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from datapipe.decontaminate.index import Index, Lengths, build
from datapipe.decontaminate.readers import Item

LENGTHS = Lengths(words=8, characters=10, short_words=4, short_characters=6)
LONG = "A farmer has seventeen sheep in the northern meadow, and nine of them wander off before dusk. How many are left?"
SHORT = "Which planet spins on its side?"
TINY = "Is it?"
CHINESE = "某工厂计划在三十天内生产九百台机床，实际提前六天完成任务，问平均每天多生产多少台？"
ITEMS = [
    Item("long", [LONG]),
    Item("short", [SHORT]),
    Item("tiny", [TINY], ["the moon", "the sun at noon", "a lamp", "a star"]),
    Item("zh", [CHINESE]),
    Item("zh short", ["水的沸点是多少度？"]),
    Item("nothing", ["Why?"]),
]
FILLER = "The library opens at nine, and readers may borrow three volumes for a fortnight. "


def index() -> Index:
    return build([("quiz", ITEMS)], LENGTHS)[0]


def found(text: str) -> set[str]:
    made = index()
    return {made.names[item] for item in made.find([text]).item.tolist()}


def test_items_are_found_verbatim_rewrapped_and_repunctuated() -> None:
    for key, text in (("long", LONG), ("short", SHORT), ("zh", CHINESE), ("zh short", "水的沸点是多少度")):
        for altered in (text, textwrap.fill(text, 20), text.upper().replace(",", " --"), text.replace("，", "\n")):
            assert found(FILLER + altered + " " + FILLER) == {f"quiz/{key}"}, altered


def test_a_question_that_says_too_little_is_found_with_its_choices_lettered_or_not() -> None:
    assert found("Is it? the moon, the sun at noon, a lamp, a star") == {"quiz/tiny"}
    assert found("Is it?\nA. the moon\nB. the sun at noon\nC. a lamp\nD. a star") == {"quiz/tiny"}
    assert found("Is it? Nobody knows.") == set()


def test_part_of_a_long_item_is_enough_and_part_of_a_short_one_is_not() -> None:
    assert found("seventeen sheep in the northern meadow and nine of them") == {"quiz/long"}
    assert found("seventeen sheep in the northern meadow and nine") == {"quiz/long"}
    assert found("seventeen sheep in the northern meadow and ten of them") == set()
    assert found("Which planet spins on its axis?") == set()


def test_a_chinese_item_is_held_by_a_copy_in_either_rendering_and_not_by_what_it_quotes() -> None:
    choices = ["核糖体有膜", "细胞核含有核酸", "蓝藻有线粒体", "叶绿体合成养分"]
    quoting = "甲在学校门口驾车，法律规定机动车行经学校门前应当减速慢行并且避让行人，下列说法中哪一项最为恰当而且完整？"
    made = build([("quiz", [Item("cell", ["何者正确？"], choices), Item("law", [quoting])])], LENGTHS)[0]

    def held(text: str) -> set[str]:
        hits = made.find([text])
        return {made.names[item] for item in hits.item[~made.partial(hits)].tolist()}

    lettered = "\n".join(f"{letter}. {choice}" for letter, choice in zip("ABCD", choices, strict=True))
    assert held("何者正确？" + "；".join(choices)) == held(f"何者正确？\n{lettered}") == {"quiz/cell"}
    law = "法律规定机动车行经学校门前应当减速慢行并且避让行人，违者罚款。"
    assert len(made.find([law]).item) and held(law) == set()
    assert held(f"问：{quoting}") == {"quiz/law"}


def test_an_ngram_does_not_run_from_one_document_into_the_next() -> None:
    words = LONG.split()
    assert len(index().find([" ".join(words[:6]), " ".join(words[6:13])]).item) == 0


def test_hits_say_where_they_stand_in_the_document() -> None:
    text = FILLER + SHORT + " " + FILLER
    hits = index().find(["", text])
    assert hits.document.tolist() == [1]
    assert text[hits.begin[0] : hits.end[0]] == SHORT.rstrip("?")


def test_what_is_counted() -> None:
    _, facts = build([("quiz", ITEMS)], LENGTHS)
    assert facts == {"quiz": {"items": 6, "whole": 2, "too_short": 1}}


def test_an_enumeration_is_no_ngram_but_the_whole_item_is() -> None:
    item = "Sort: 9 8 7 6 5 4 3 2 1 0 now"
    made, facts = build([("quiz", [Item("sort", [item])])], LENGTHS)
    assert facts["quiz"]["whole"] == 1
    assert len(made.find(["Countdown: 9 8 7 6 5 4 3 2 1 0 lift off"]).item) == 0
    assert len(made.find([f"Exercise. {item}!"]).item) == 1


def test_every_place_is_found() -> None:
    hits = index().find([SHORT * 5])
    assert len(hits.item) == 5 and len(set(hits.hashes.tolist())) == 1
    assert (np.diff(hits.begin) == len(SHORT)).all()


def test_an_index_comes_back_from_its_file_as_it_was(tmp_path: Path) -> None:
    uri = str(tmp_path / "index.npz")
    index().save(uri)
    text = f"{LONG} {CHINESE}"
    one, other = index().find([text]), Index.load(uri).find([text])
    assert one.hashes.tolist() == other.hashes.tolist() and one.item.tolist() == other.item.tolist()
    assert Index.load(uri).names == index().names


@given(st.lists(st.sampled_from([LONG, SHORT, CHINESE, FILLER, "", TINY]), max_size=6))
@settings(max_examples=30, deadline=None)
def test_documents_are_searched_alike_alone_and_in_a_batch(texts: list[str]) -> None:
    made = index()
    together = made.find(texts)
    for number, text in enumerate(texts):
        assert together.hashes[together.document == number].tolist() == made.find([text]).hashes.tolist()


def test_an_empty_index_finds_nothing() -> None:
    made, _ = build([("quiz", [])], LENGTHS)
    assert len(made) == 0 and len(made.find(["anything at all"]).item) == 0
