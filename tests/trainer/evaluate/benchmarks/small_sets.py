"""All thirteen sets in the files' own layouts, with items written for the tests."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def lines(records: Sequence[Any]) -> str:
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def table(rows: Sequence[Sequence[Any]]) -> str:
    handle = io.StringIO()
    csv.writer(handle).writerows(rows)
    return handle.getvalue()


def put(root: Path, name: str, text: str) -> None:
    """Compressed as the name's suffix says."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    data = text.encode()
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else bz2.compress(data) if name.endswith(".bz2") else data)


def task(question: str, answer: str) -> str:
    return f"Q: {question}\nA: Let's think step by step.\nIt is plain. So the answer is {answer}."


def write_sets(root: Path) -> Path:
    """Writes every set; returns the folder."""
    put(root, "arc/arc_challenge.jsonl.gz", lines([
        {"query": f"Question: What weighs {n} stones?", "choices": ["a feather", f"a rock of {n} stones", "a song"], "gold": 1}
        for n in range(4)
    ]))  # fmt: skip
    put(root, "arc/arc_easy.jsonl", lines([{"query": "Question: easy?", "choices": ["yes", "no"], "gold": 0}]))
    passages = [
        ["Baking: She kneads the dough. she", "2", "sings to it.", "flies off.", "puts it in the oven.", "eats a door."]
    ]
    passages += [
        [f"Sailing: He hoists sail {n}. he", "0", "leaves the harbour.", "digs.", "melts.", "counts to a blue."]
        for n in range(3)
    ]
    put(root, "hellaswag/hellaswag_val_full.txt.bz2", "".join("\n".join(item) + "\n" for item in passages))
    for subject in ("knots", "tides"):
        header: list[list[Any]] = [["question", "choice0", "choice1", "choice2", "choice3", "answer"]]
        rows = [
            [f"Which of the {subject} is number {n}?", "first", "second, of two", "third", "fourth", n % 4] for n in range(6)
        ]
        put(root, f"mmlu/dev/{subject}_dev.csv", table(header + rows[:5]))
        put(root, f"mmlu/test/{subject}_test.csv.gz", table(header + rows[3:]))
        chinese: list[list[Any]] = [["", "Question", "A", "B", "C", "D", "Answer"]]
        chinese += [[n, f"{subject}第{n}题？", "甲", "乙", "丙", "丁", "ABCD"[n % 4]] for n in range(6)]
        put(root, f"cmmlu/dev/{subject}.csv", table(chinese[:6]))
        put(root, f"cmmlu/test/{subject}.csv.gz", table([chinese[0], *chinese[3:]]))
    put(root, "truthfulqa/TruthfulQA.csv", table([
        ["Type", "Category", "Question", "Best Answer", "Correct Answers", "Incorrect Answers", "Source"],
        ["x", "y", "Do stones float?", "No", "No; They sink.; No", "Yes; On Sundays; Only when asked", "none"],
    ]))  # fmt: skip
    put(root, "winogrande/winogrande.jsonl", lines([
        {"context_options": [f"The mug {n} fell on the mat and the mug", f"The mug {n} fell on the mat and the mat"],
         "continuation": "broke.", "gold": 0} for n in range(4)
    ]))  # fmt: skip
    put(root, "gsm8k/test.jsonl", lines([
        {"question": f"Ann has {n} pears and gets 1,000 more. How many?", "answer": f"{n} + 1000 = <<{n}+1000>>\n#### 1,00{n}"}
        for n in range(7)
    ]))  # fmt: skip
    put(root, "humaneval/HumanEval.jsonl", lines([
        {"task_id": "Own/0", "prompt": 'def twice(n):\n    """Two times n."""\n', "entry_point": "twice",
         "canonical_solution": "    return 2 * n\n", "test": "def check(f):\n    assert f(3) == 6\n"}
    ]))  # fmt: skip
    tasks = {
        "word_sorting": [("Sort: b a", "a b"), ("Sort: d c", "c d"), ("Sort: z y", "y z"), ("q p", "p q"), ("n m", "m n")],
        "navigate": [("Left, then right. Back?", "Yes"), ("Left. Back?", "No")],
    }
    for size, letters in (("three", "ABC"), ("five", "ABCDE")):
        options = "\n".join(f"({letter}) bird {letter}" for letter in letters)
        tasks[f"logical_deduction_{size}_objects"] = [(f"Which bird?\nOptions:\n{options}", "(B)")]
    for name, examples in tasks.items():
        put(root, f"bbh/{name}.json.gz", json.dumps({"examples": [{"input": q, "target": a} for q, a in examples]}))
        shots = "\n\n".join(task(f"{name} {n}?", "(A)") for n in range(3))
        put(root, f"bbh/cot-prompts/{name}.txt", f"A canary of ours\n-----\nSay it.\n\n{shots}")
    put(root, "bbh/LICENSE", "ours")
    exam = [
        {"subject": "weaving", "id": n, "question": f"第{n}匹布？", "answer": "BACD"[n % 4]}
        | dict(zip("ABCD", "红绿蓝白", strict=True))
        for n in range(8)
    ]  # fmt: skip
    put(root, "ceval/val_zhcn_converted.jsonl.gz", lines(exam))
    put(root, "ceval/val_zhtw.jsonl", lines([{**exam[0], "question": "第零匹布？（繁體）"}]))
    put(root, "ceval/subject_mapping.json", json.dumps({"weaving": ["Weaving", "纺织", "Other"]}))
    talk: list[list[Any]] = [
        [
            ["男：下雨了。", "女：带伞吧。"],
            [{"question": "天气怎样？", "choice": ["下雨", "晴天", "下雪"], "answer": "下雨"}],
            "1-2",
        ]
    ]
    put(root, "c3/c3-d-test.json.gz", json.dumps(talk, ensure_ascii=False))
    put(root, "c3/c3-d-dev.json", json.dumps(talk * 3, ensure_ascii=False))
    put(root, "c3/c3-m-test.json", json.dumps([[["一段文字。"], [*talk[0][1], *talk[0][1]], "9"]], ensure_ascii=False))
    idioms = ["山高水远", "一字千金", "风平浪静", "日积月累", "水落石出", "天长地久", "心平气和"]
    put(
        root, "chid/test_public.json", lines([{"id": 5, "candidates": idioms, "content": "湖上#idiom#，船不动。", "answer": 2}])
    )
    put(root, "csl/test_public.json.gz", lines([
        {"id": 1, "abst": "本文研究织布机的节拍。", "keyword": ["织布机", "节拍"], "label": "1"},
        {"id": 2, "abst": "本文研究织布机的节拍。", "keyword": ["织布机", "火箭"], "label": "0"},
    ]))  # fmt: skip
    return root
