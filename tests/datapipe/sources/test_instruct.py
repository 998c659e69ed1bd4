"""Instruct data: every published layout becomes what was said, and says what it is; silence goes to the ledger."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.datapipe.sources.builders import CHINESE, SENTENCES, outcomes, read

ASK, REPLY, MORE = SENTENCES
LAYOUTS: list[tuple[str, dict[str, Any]]] = [
    ("messages", {"messages": [{"role": "system", "content": "You help."}, {"role": "user", "content": ASK},
                               {"role": "assistant", "content": REPLY}, {"role": "tool", "content": "{}"}]}),
    ("messages", {"messages": [{"role": "user", "content": [{"type": "text", "text": ASK}, {"type": "image_url", "url": ""}]},
                               {"role": "assistant", "content": REPLY}]}),
    ("conversations", {"conversations": [{"from": "human", "value": ASK}, {"from": "gpt", "value": REPLY}]}),
    ("conversations", {"conversations": [ASK, REPLY]}),
    ("alpaca", {"instruction": ASK, "input": "", "output": REPLY}),
    ("alpaca", {"instruction": ASK, "input": "<noinput>", "output": REPLY}),
    ("prompt-completion", {"prompt": ASK, "completion": REPLY}),
    ("question-answer", {"question": ASK, "answer": REPLY, "id": 3}),
]  # fmt: skip


@pytest.mark.parametrize(("layout", "record"), LAYOUTS)
def test_each_layout_is_told_by_its_fields(tmp_path: Path, layout: str, record: dict[str, Any]) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps(record))
    [made] = read(tmp_path / "a.jsonl", source="instruct", domain="QA", language="en")
    assert (made.text, made.metadata["instruct"]) == (f"{ASK}\n\n{REPLY}", layout)


def test_parquet_is_read_by_the_end_of_its_name(tmp_path: Path) -> None:
    pq.write_table(pa.Table.from_pylist([LAYOUTS[2][1], LAYOUTS[2][1]]), tmp_path / "a.parquet")
    made = read(tmp_path / "a.parquet", source="instruct", domain="QA", language="en")
    assert [d.text for d in made] == [f"{ASK}\n\n{REPLY}"] * 2 and made[0].metadata["instruct"] == "conversations"


def test_what_is_given_and_earlier_turns_stand_in_their_order(tmp_path: Path) -> None:
    record = {"instruction": ASK, "input": MORE, "output": REPLY, "history": [[CHINESE[0], CHINESE[1]]]}
    (tmp_path / "a.json").write_text(json.dumps([record], ensure_ascii=False))
    [made] = read(tmp_path / "a.json", source="instruct", domain="QA", language="en")
    assert made.text == f"{CHINESE[0]}\n\n{CHINESE[1]}\n\n{ASK}\n{MORE}\n\n{REPLY}"


def test_the_system_speaks_only_where_it_is_asked_to(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps(LAYOUTS[0][1]))
    [made] = read(tmp_path / "a.jsonl", source="instruct", domain="QA", language="en", options={"system": True})
    assert made.text.startswith("You help.\n\n")


def test_no_answer_and_no_known_layout_go_to_the_ledger(tmp_path: Path) -> None:
    rows = [
        {"messages": [{"role": "user", "content": ASK}]},
        {"instruction": ASK, "output": " ", "history": 5},
        {"text": ASK},
    ]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    made = read(tmp_path / "a.jsonl", source="instruct", domain="QA", language="en")
    assert outcomes(made) == ["extract.no_answer", "extract.no_answer", "extract.instruct_layout"]
    assert made[2].verdict is not None and "text" in (made[2].verdict.detail or "")
