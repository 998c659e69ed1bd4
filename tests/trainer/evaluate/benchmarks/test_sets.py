"""Each set's files are read as items: what is asked, what is right, what guessing would score."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from core.config import ConfigError
from tests.trainer.evaluate.benchmarks.small_sets import put, write_sets
from trainer.evaluate.benchmarks.config import KNOWN
from trainer.evaluate.benchmarks.item import Loaded
from trainer.evaluate.benchmarks.score import load
from trainer.evaluate.benchmarks.sets import BENCHMARKS
from trainer.evaluate.benchmarks.sets._harness import task_file

PUBLISHED: dict[str, Any] = yaml.safe_load((Path(__file__).parents[4] / "configs/published/tables.yaml").read_text())


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Loaded]:
    root = write_sets(tmp_path_factory.mktemp("sets"))
    return {name: load(benchmark, str(root)) for name, benchmark in BENCHMARKS.items()}


def test_the_benchmarks_are_those_of_the_tables_in_their_order_with_the_reports_shots() -> None:
    assert tuple(BENCHMARKS) == KNOWN
    english = [one for one in BENCHMARKS.values() if one.table == "english"]
    assert [one.title for one in english] == PUBLISHED["english_benchmarks"]["columns"]
    assert [one.shots for one in english] == PUBLISHED["english_benchmarks"]["shots"]
    chinese = [one.title for one in BENCHMARKS.values() if one.table == "chinese"]
    assert chinese == PUBLISHED["chinese_benchmarks"]["columns"]


def test_every_item_has_what_its_metric_needs(sets: dict[str, Loaded]) -> None:
    for name, loaded in sets.items():
        for item in loaded.items:
            assert len(item.prompts) in (1, len(item.options)), name
            assert all(0 <= place < len(item.options) for place in item.right), name
            assert bool(item.options) != bool(item.answer), name
        assert len({item.key for item in loaded.items}) == len(loaded.items), name


@pytest.mark.parametrize(
    ("name", "items", "chance"),
    [
        ("arc", 4, 1 / 3), ("hellaswag", 4, 1 / 4), ("mmlu", 6, 1 / 4), ("truthfulqa", 1, 2 / 5), ("winogrande", 4, 1 / 2),
        ("gsm8k", 7, 0), ("humaneval", 1, 0), ("ceval", 8, 1 / 4), ("cmmlu", 8, 1 / 4), ("c3", 3, 1 / 3), ("chid", 1, 1 / 7),
        ("csl", 2, 1 / 2),
    ],
)  # fmt: skip
def test_how_many_items_there_are_and_what_guessing_scores(
    sets: dict[str, Loaded], name: str, items: int, chance: float
) -> None:
    assert len(sets[name].items) == items
    assert all(item.guessed() == pytest.approx(chance) for item in sets[name].items)


def test_arc_asks_the_challenge_questions(sets: dict[str, Loaded]) -> None:
    item = sets["arc"].items[2]
    assert item.prompts == ("Question: What weighs 2 stones?\nAnswer:",)
    assert item.options[item.right[0]] == " a rock of 2 stones"
    assert item.shown == "Question: What weighs 2 stones?\nAnswer: a rock of 2 stones"


def test_mmlu_shows_the_dev_questions_of_the_subject_in_order(sets: dict[str, Loaded]) -> None:
    item, shots = sets["mmlu"].items[0], sets["mmlu"].shots["knots"]
    assert item.subject == "knots" and item.right == (3,)
    assert item.prompts[0] == ("Which of the knots is number 3?\nA. first\nB. second, of two\nC. third\nD. fourth\nAnswer:")
    assert [shot[-1] for shot in shots] == ["A", "B", "C", "D", "A"]


def test_a_table_without_names_of_columns_is_read_from_its_first_row(tmp_path: Path) -> None:
    """An answer B in the first row is no column B."""
    rows = "".join(f"What is {n}?,one,two,three,four,{letter}\n" for n, letter in enumerate("BDA"))
    for split in ("dev", "test"):
        put(tmp_path, f"mmlu/{split}/knots_{split}.csv", rows)
    loaded = load(BENCHMARKS["mmlu"], str(tmp_path))
    assert [item.right for item in loaded.items] == [(1,), (3,), (0,)]
    assert loaded.items[0].prompts[0] == "What is 0?\nA. one\nB. two\nC. three\nD. four\nAnswer:"
    assert len(loaded.shots["knots"]) == 3


@pytest.mark.parametrize("answer", ["", "E", "b", "4"])
def test_an_answer_that_is_none_of_the_choices_is_said_with_its_file_and_record(tmp_path: Path, answer: str) -> None:
    header = "QUESTION,A,B,C,D,Answer"
    put(tmp_path, "mmlu/dev/knots_dev.csv", f"{header}\nWhat?,a,b,c,d,A\n")
    put(tmp_path, "mmlu/test/knots_test.csv", f"{header}\nWhat?,a,b,c,d,A\nWhich?,a,b,c,d,{answer}\n")
    with pytest.raises(ConfigError, match=f"mmlu: .*test/knots_test#1: its answer '{answer}' is none of its 4 choices"):
        load(BENCHMARKS["mmlu"], str(tmp_path))


def test_an_empty_choice_keeps_its_letter_and_an_empty_last_one_is_none(tmp_path: Path) -> None:
    rows = "Which?,a,,c,d,,D\nWhat?,a,b,c,d,e,E\n"
    for split in ("dev", "test"):
        put(tmp_path, f"cmmlu/{split}/knots.csv", f"question,A,B,C,D,E,answer\n{rows}")
    first, second = load(BENCHMARKS["cmmlu"], str(tmp_path)).items
    assert first.options == (" A", " B", " C", " D") and first.right == (3,) and "\nB. \nC. c\nD. d\n" in first.prompts[0]
    assert len(second.options) == 5 and second.right == (4,)


def test_chinese_exams_name_their_subject_and_read_simplified_characters(sets: dict[str, Loaded]) -> None:
    assert "纺织" in sets["ceval"].above["weaving"]
    assert sets["ceval"].items[0].prompts[0] == "第0匹布？\nA. 红\nB. 绿\nC. 蓝\nD. 白\n答案："
    assert sets["ceval"].items[0].right == (1,)
    assert len(sets["cmmlu"].shots["tides"]) == 5


def test_cmmlu_names_its_subjects_in_chinese(sets: dict[str, Loaded], tmp_path: Path) -> None:
    for name in ("agronomy", "world_religions"):
        for split in ("dev", "test"):
            put(tmp_path, f"cmmlu/{split}/{name}.csv", "question,A,B,C,D,answer\n问,甲,乙,丙,丁,A\n")
    above = load(BENCHMARKS["cmmlu"], str(tmp_path)).above
    assert above["agronomy"] == "以下是关于农学的单项选择题，请直接给出正确答案的选项。"
    assert "世界宗教" in above["world_religions"]
    assert sets["cmmlu"].above["tides"] == "以下是关于tides的单项选择题，请直接给出正确答案的选项。"  # of no known name


def test_the_sentence_that_is_to_be_ended_begins_with_a_capital(tmp_path: Path) -> None:
    endings = "".join(f"ending {n}.\n" for n in range(4))
    contexts = [
        ("Baking: She kneads the dough. she", "Baking: She kneads the dough. She"),
        ("How to bake: Knead it. that is all. done.", "How to bake: Knead it. that is all. done."),
        ("Baking: He waits. he looks at 3.5 litres of", "Baking: He waits. he looks at 3.5 litres of"),
        ("Baking: Done! the two", "Baking: Done! The two"),
    ]
    put(tmp_path, "hellaswag/hellaswag_val.txt", "".join(f"{given}\n0\n{endings}" for given, _ in contexts))
    assert [item.prompts[0] for item in load(BENCHMARKS["hellaswag"], str(tmp_path)).items] == [one for _, one in contexts]


def test_truthful_answers_stand_first_each_once_behind_the_fixed_questions(sets: dict[str, Loaded]) -> None:
    (item,) = sets["truthfulqa"].items
    assert item.options == (" No.", " They sink.", " Yes.", " On Sundays.", " Only when asked.")
    assert item.right == (0, 1)
    assert item.prompts[0].endswith("\n\nQ: Do stones float?\nA:") and item.prompts[0].count("Q: ") == 7


def test_winogrande_scores_the_end_behind_either_name(sets: dict[str, Loaded]) -> None:
    item = sets["winogrande"].items[0]
    assert item.options == (" broke.", " broke.") and len(item.prompts) == 2
    assert item.shown == "The mug 0 fell on the mat and the mug broke."


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("so\n#### 1,002.", "1002"), ("#### -7", "-7"), ("#### 12.50", "12.50"), ("about 12", ""),
        ("#### $12", ""), ("####12", ""), ("####  12", ""), ("#### 3\n#### 4", "3"),
    ],
)  # fmt: skip
def test_the_number_of_a_worked_solution(text: str, number: str) -> None:
    assert BENCHMARKS["gsm8k"].extract(text) == number


def test_generated_solutions_end_and_are_read_as_by_the_harnesss_own_task() -> None:
    own = task_file("gsm8k/gsm8k.yaml")
    assert list(BENCHMARKS["gsm8k"].stops) == own["generation_kwargs"]["until"]
    strict = next(one["filter"][0]["regex_pattern"] for one in own["filter_list"] if one["name"] == "strict-match")
    for text in ("#### 1,002.", "#### $12", "####12", "####  12", "a\n\n#### -3.5 pears", "#### 3\n#### 4", "12"):
        found = re.search(strict, text)
        assert BENCHMARKS["gsm8k"].extract(text) == (re.sub(r"\.$", "", found.group(1).replace(",", "")) if found else "")


def test_a_solution_without_a_number_is_no_item(tmp_path: Path) -> None:
    put(tmp_path, "gsm8k/test.jsonl", '{"question": "How many?", "answer": "#### none"}\n')
    with pytest.raises(ConfigError, match="record 0: its answer has no number behind '#### '"):
        load(BENCHMARKS["gsm8k"], str(tmp_path))


def test_big_bench_hard_has_three_worked_examples_and_counts_tasks_of_several_files_once(sets: dict[str, Loaded]) -> None:
    loaded = sets["bbh"]
    assert all(len(shots) == 3 and shots[0].startswith("Q: ") for shots in loaded.shots.values())
    assert set(loaded.above.values()) == {"Say it."}
    chances = {item.subject: item.chance for item in loaded.items}
    assert chances["navigate"] == 1 / 2 and chances["word_sorting"] == 0
    assert chances["logical_deduction_three_objects"] == 1 / 3 and chances["logical_deduction_five_objects"] == 1 / 5
    groups = {BENCHMARKS["bbh"].group(item.subject) for item in loaded.items}
    assert groups == {"navigate", "word_sorting", "logical_deduction"}


@pytest.mark.parametrize(
    ("text", "answer"),
    [("Thus. So the answer is (B).\n\nQ: next", "(B)"), ("the answer is a b c.", "a b c"), ("no idea", "")],
)
def test_the_answer_of_a_chain_of_thought(text: str, answer: str) -> None:
    assert BENCHMARKS["bbh"].extract(text) == answer


def test_an_idiom_is_scored_with_its_passage(sets: dict[str, Loaded]) -> None:
    (item,) = sets["chid"].items
    assert item.prompts == ("",) and item.options[2] == "湖上风平浪静，船不动。" and item.right == (2,)


def test_keywords_are_an_option_of_their_own(sets: dict[str, Loaded]) -> None:
    real, false = sets["csl"].items
    assert real.right == (1,) and false.right == (0,)
    assert real.options == ("摘要：本文研究织布机的节拍。", "摘要：本文研究织布机的节拍。\n关键词：织布机，节拍")


def test_files_of_another_layout_are_named_with_what_is_expected(tmp_path: Path) -> None:
    put(tmp_path, "arc/arc_challenge.jsonl", '{"question": "x"}\n')
    with pytest.raises(ConfigError, match="arc: KeyError 'query'; ARC is read as: Records"):
        load(BENCHMARKS["arc"], str(tmp_path))


def test_a_folder_without_the_files_says_which_are_meant(tmp_path: Path) -> None:
    put(tmp_path, "c3/readme.txt", "empty")
    with pytest.raises(ConfigError, match="holds no file like"):
        load(BENCHMARKS["c3"], str(tmp_path))
