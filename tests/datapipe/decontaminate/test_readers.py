"""Benchmark readers, each on a record of its layout written for the test."""

import bz2
import gzip
import json
from pathlib import Path

import pytest

from core.config import ConfigError
from datapipe.decontaminate.readers import READERS, Item, read_benchmark


def json_line(**record: object) -> str:
    return json.dumps(record, ensure_ascii=False) + "\n"


DIALOGUE = [["男：好。", "女：走。"], [{"question": "谁说？", "choice": ["男", "女"], "answer": "女"}], "1-2"]
CASES = {  # benchmark: (file name, its content, the first item)
    "gsm8k": (
        "t.jsonl",
        json_line(question="How many?", answer="2+2=<<2+2=4>>4 apples.\n#### 4"),
        Item("t#0", ["How many?"], [], "2+2=4 apples.\n"),
    ),
    "humaneval": (
        "h.jsonl",
        json_line(task_id="H/0", prompt="def f():", canonical_solution="return 1"),
        Item("h#H/0", ["def f():"]),
    ),
    "bbh": (
        "dates.json",
        json_line(canary="x", examples=[{"input": "What day?", "target": "(A)"}]),
        Item("dates#0", ["What day?"]),
    ),
    "arc": (
        "arc.jsonl",
        json_line(query="Question: Which?", choices=["a", "b"], gold=1),
        Item("arc#0", ["Which?"], ["a", "b"]),
    ),
    "hellaswag": (
        "h.txt",
        "Skiing: A man\n1\nflies.\nskis.\nsings.\nsleeps.\n",
        Item("h#0", ["A man skis."]),
    ),
    "mmlu": (
        "m.csv",
        "question,choice0,choice1,choice2,choice3,answer\nWhat?,a,b,c,d,1\n",
        Item("m#0", ["What?"], list("abcd")),
    ),
    "cmmlu": (
        "c.csv",
        ",Question,A,B,C,D,Answer\n0,哪个？,甲,乙,丙,丁,B\n",
        Item("c#0", ["哪个？"], list("甲乙丙丁")),
    ),
    "ceval": (
        "v.jsonl",
        json_line(subject="s", id=7, question="谁？", A="甲", B="乙", C="丙", D="丁", answer="A"),
        Item("v#7", ["谁？"], list("甲乙丙丁")),
    ),
    "truthfulqa": (
        "t.csv",
        "Type,Category,Question,Best Answer,Correct Answers\nA,B,Why?,Because,Because\n",
        Item("t#0", ["Why?"], ["Because"]),
    ),
    "winogrande": (
        "w.jsonl",
        json_line(context_options=["Ann so Ann", "Ann so Eve"], continuation="won.", gold=0),
        Item("w#0", ["Ann so Ann won."]),
    ),
    "c3": (
        "c.json",
        json.dumps([DIALOGUE], ensure_ascii=False, indent=1),
        Item("c#1-2-0", ["男：好。\n女：走。", "谁说？"], ["男", "女"]),
    ),
    "chid": (
        "d.json",
        json_line(id=3, candidates=["画蛇添足", "雪中送炭"], content="他#idiom#了。", answer=1) * 2,
        Item("d#3", ["他雪中送炭了。"]),
    ),
    "csl": (
        "c.json",
        json_line(id=1, abst="摘要。", keyword=["词"], label="1") * 2,
        Item("c#1", ["摘要。"]),
    ),
}


@pytest.mark.parametrize("name", sorted(READERS))
def test_each_benchmark_is_read_in_its_own_layout(name: str, tmp_path: Path) -> None:
    file, text, expected = CASES[name]
    (tmp_path / file).write_text(text, encoding="utf-8")
    items = list(read_benchmark(name, str(tmp_path)))
    assert items[0] == expected


def test_mmlu_without_a_header_is_read_by_position(tmp_path: Path) -> None:
    (tmp_path / "law_test.csv").write_text('"What, then?",a,b,c,d,B\nWho?,e,f,g,h,A\n')
    assert [item.texts for item in read_benchmark("mmlu", str(tmp_path))] == [["What, then?"], ["Who?"]]


def test_chain_of_thought_prompts_are_items_but_not_their_canary(tmp_path: Path) -> None:
    (tmp_path / "p.txt").write_text("canary GUID 1\n-----\nSolve it.\n\nQ: One and one?\nA: Two.\n")
    assert [item.texts for item in read_benchmark("bbh", str(tmp_path))] == [["Q: One and one?\nA: Two.\n"]]


def test_a_benchmark_without_reader_gives_its_strings(tmp_path: Path) -> None:
    (tmp_path / "own.jsonl.gz").write_bytes(gzip.compress(json_line(q="Where?", n=1, options=["here", "there"]).encode()))
    (tmp_path / "own.json").write_text(json.dumps([{"a": "Here."}, {"b": {"c": "There."}}, 3]))
    (tmp_path / "own.txt.bz2").write_bytes(bz2.compress(b"First text.\n\nSecond\ntext."))
    (tmp_path / "LICENSE.txt").write_text("A licence is no test item.")
    found = [item.texts for item in read_benchmark("ours", str(tmp_path))]
    assert found == [["Here."], ["There."], ["Where?", "here", "there"], ["First text."], ["Second\ntext."]]


def test_missing_files_and_foreign_layouts_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="decontaminate.benchmarks.arc = .*: no JSON"):
        list(read_benchmark("arc", str(tmp_path / "nowhere")))
    (tmp_path / "a.jsonl").write_text('{"other": 1}')
    with pytest.raises(ConfigError, match="a.jsonl, record 0: KeyError 'query'; the reader of arc expects another layout"):
        list(read_benchmark("arc", str(tmp_path)))
