"""Records in JSON, CSV and TSV: fields by name, damage on the ledger."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import pytest
import zstandard

from datapipe.document import to_batch
from datapipe.sources.records import Records
from tests.datapipe.sources.builders import CHINESE, SENTENCES, outcomes, read


def test_json_lines_give_a_document_a_line(tmp_path: Path) -> None:
    lines = [
        json.dumps({"text": SENTENCES[n], "meta": {"url": f"http://a.org/{n}", "day": "2024-01-0" + str(n)}}) for n in range(3)
    ]
    (tmp_path / "a.jsonl").write_text("\n".join(lines) + "\n\n")
    made = read(tmp_path / "a.jsonl", source="records", options={"url": "meta.url", "date": "meta.day"})
    assert [(d.text, d.url, d.date) for d in made] == [(SENTENCES[n], f"http://a.org/{n}", f"2024-01-0{n}") for n in range(3)]
    assert [d.key for d in made] == ["0", str(len(lines[0]) + 1), str(len(lines[0]) + len(lines[1]) + 2)]


def test_a_line_that_is_no_json_goes_to_the_ledger_in_its_place(tmp_path: Path) -> None:
    good = json.dumps({"text": SENTENCES[0]})
    (tmp_path / "a.jsonl").write_text(f'{good}\n{{"text": \n[1, 2]\n{good}\n')
    made = read(tmp_path / "a.jsonl", source="records")
    assert outcomes(made) == ["kept", "extract.corrupt_record", "extract.corrupt_record", "kept"]


GOOD = json.dumps({"text": SENTENCES[0]})
TOO_DEEP = '{"text": ' + "[" * 100_000 + "]" * 100_000 + "}"
TOO_LONG = '{"text": "text", "number": ' + "9" * 5000 + "}"


@pytest.mark.parametrize("bad", [TOO_DEEP, TOO_LONG])
@pytest.mark.parametrize("at", ["", "rows"])
def test_json_that_the_parser_gives_up_on_goes_to_the_ledger(tmp_path: Path, bad: str, at: str) -> None:
    (tmp_path / "a.jsonl").write_text("\n".join([GOOD, bad, GOOD]))
    assert outcomes(read(tmp_path / "a.jsonl", source="records")) == ["kept", "extract.corrupt_record", "kept"]
    rows = f"[{GOOD}, {bad}, {GOOD}]"
    (tmp_path / "a.json").write_text(f'{{"rows": {rows}}}' if at else rows)
    kept_before = [] if at else ["kept"]  # a list below a field is read whole
    assert outcomes(read(tmp_path / "a.json", source="records", options={"at": at})) == [*kept_before, "extract.corrupt_file"]


def test_a_field_that_is_nested_too_deep_costs_its_record_alone() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    rows = [("0", {"text": deep}), ("1", {"text": SENTENCES[0]})]
    for options in (Records(), Records(where={"text": SENTENCES[0]})):
        bad, good = options.rows(iter(rows))
        assert bad.verdict and bad.verdict.rule == "extract.corrupt_record" and good.text == SENTENCES[0]


def test_a_dialogue_that_is_no_list_of_turns_is_empty(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"said": 5}\n{"said": "x"}\n{"said": {"0": "x"}}\n')
    assert outcomes(read(tmp_path / "a.jsonl", source="records", options={"turns": "said"})) == ["extract.empty"] * 3


def test_a_table_with_a_quote_that_nothing_closes_keeps_the_rows_before_it(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(f'text\n{SENTENCES[0]}\n"{SENTENCES[1]}\n' + "x\n" * 1000)
    longest = csv.field_size_limit(1000)
    try:
        made = read(tmp_path / "a.csv", source="records")
    finally:
        csv.field_size_limit(longest)
    assert outcomes(made) == ["kept", "extract.corrupt_file"]


def test_a_cut_zstd_file_keeps_its_whole_lines(tmp_path: Path) -> None:
    compressor = zstandard.ZstdCompressor().compressobj()
    stored = b""
    for number in range(200):  # a flush after each line, so that some lines are there whole before the cut
        stored += compressor.compress(json.dumps({"text": f"{number} {SENTENCES[number % 3]}"}).encode() + b"\n")
        stored += compressor.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)
    stored += compressor.flush()
    (tmp_path / "a.jsonl.zst").write_bytes(stored[: len(stored) // 2])
    made = outcomes(read(tmp_path / "a.jsonl.zst", source="records"))
    assert made[-1] == "extract.truncated_file" and 50 < made.count("kept") < 200 and len(made) == made.count("kept") + 1


@pytest.mark.parametrize("indent", [None, 2])
def test_a_json_list_is_read_entry_by_entry(tmp_path: Path, indent: int | None) -> None:
    entries = [{"title": "桥", "lines": list(CHINESE), "number": n} for n in range(3)]
    (tmp_path / "a.json").write_text(json.dumps(entries, ensure_ascii=False, indent=indent))
    made = read(tmp_path / "a.json", source="records", language="zh", options={"template": "{title}\n{author}\n{lines}"})
    assert [d.text for d in made] == ["桥\n\n" + "\n".join(CHINESE)] * 3


def test_a_list_below_a_field_is_found(tmp_path: Path) -> None:
    tree = {"about": "x", "example": [{"question": "Why?", "answer": ["A", "B"]}]}
    (tmp_path / "a.json").write_text(json.dumps(tree))
    options = {"at": "example", "template": "{question}\nAnswer: {answer}"}
    [made] = read(tmp_path / "a.json", source="records", language="en", options=options)
    assert made.text == "Why?\nAnswer: A\nB"


def test_a_damaged_list_keeps_the_entries_before_the_damage(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps([{"text": sentence} for sentence in SENTENCES])[:-40])
    assert outcomes(read(tmp_path / "a.json", source="records")) == ["kept", "kept", "extract.corrupt_file"]


def test_csv_in_gbk_with_line_ends_inside_its_fields(tmp_path: Path) -> None:
    table = f'department,ask,answer\n内科,"{CHINESE[0]}\n{CHINESE[1]}",{CHINESE[2]}\n'
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(table.encode("gb18030")))
    options = {"template": "{ask}\n\n{answer}", "keep": ["department"]}
    [made] = read(tmp_path / "a.csv.gz", source="records", options=options)
    assert made.text == f"{CHINESE[0]}\n{CHINESE[1]}\n\n{CHINESE[2]}" and made.metadata["department"] == "内科"


def test_short_rows_are_put_together(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("".join(f"q{n}\ta{n}\n" for n in range(5)))
    options = {"header": False, "template": "Q: {0}\nA: {1}", "together": 2}
    made = read(tmp_path / "a.tsv", source="records", language="en", options=options)
    assert [d.text for d in made] == ["Q: q0\nA: a0\n\nQ: q1\nA: a1", "Q: q2\nA: a2\n\nQ: q3\nA: a3", "Q: q4\nA: a4"]


def test_fields_choose_records_name_domains_and_lose_annotations(tmp_path: Path) -> None:
    rows = [{"text": "3+4=<<3+4=7>>7 apples", "set": "train", "domain": "QA", "lang": "en", "name": "x"},
            {"text": "gone", "set": "test", "domain": "QA", "lang": "en"},
            {"text": "text", "set": "train", "domain": "Nowhere", "lang": "en"}]  # fmt: skip
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    options = {
        "where": {"set": "train"},
        "remove": ["<<[^>]*>>"],
        "domain_field": "domain",
        "language_field": "lang",
        "key_field": "name",
    }
    made = read(tmp_path / "a.jsonl", source="records", options=options)
    assert [(d.text, d.domain, d.key) for d in made[:1]] == [("3+4=7 apples", "QA", "x")]
    assert outcomes(made) == ["kept", "extract.domain"]


def test_keys_that_repeat_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("\n".join(json.dumps({"text": sentence, "name": "same"}) for sentence in SENTENCES))
    made = read(tmp_path / "a.jsonl", source="records", options={"key_field": "name"})
    assert [d.key for d in made] == ["same", "same#2", "same#3"]


@pytest.mark.parametrize("option", ["url", "date", "title", "key_field", "keep", "language_field", "domain_field"])
def test_a_broken_character_in_any_field_is_no_obstacle(tmp_path: Path, option: str) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps({"text": SENTENCES[0], "name": "caf\ud83d"}))
    made = read(tmp_path / "a.jsonl", source="records", options={option: ["name"] if option == "keep" else "name"})
    refused = {"language_field": "extract.language", "domain_field": "extract.domain"}
    assert outcomes(made) == [refused.get(option, "kept")] and "caf?" in str(to_batch(made).to_pylist())


def test_dialogues_are_what_is_said_turn_by_turn(tmp_path: Path) -> None:
    rows = [
        {"conversations": [{"from": "human", "value": SENTENCES[0]}, {"from": "gpt", "value": SENTENCES[1]}]},
        {"conversations": [{"role": "user", "content": SENTENCES[2]}, "noise"]},
        {"conversations": []},
    ]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    made = read(tmp_path / "a.jsonl", source="records", domain="QA", options={"turns": "conversations"})
    assert [d.text for d in made[:2]] == [f"{SENTENCES[0]}\n\n{SENTENCES[1]}", SENTENCES[2]]
    assert outcomes(made) == ["kept", "kept", "extract.empty"]


@pytest.mark.parametrize(
    ("layout", "row"),
    [
        ({"url": "meta.url"}, {"text": SENTENCES[0], "meta": {"url": "http://a.org", "language": "en"}}),  # RedPajama
        ({"text": "content", "title": "title", "key_field": "uniqueKey"},
         {"uniqueKey": "k", "title": "桥", "content": SENTENCES[0], "dataType": "百科"}),  # WuDao
        ({"text": "content", "key_field": "id"}, {"id": "BkO", "content": SENTENCES[0]}),  # WanJuan
        ({"template": "{question}\n{answer}"}, {"question": SENTENCES[0][:40], "answer": SENTENCES[0][40:]}),
    ],
)  # fmt: skip
def test_layouts_of_public_corpora_are_options(tmp_path: Path, layout: dict[str, str], row: dict[str, object]) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps(row, ensure_ascii=False))
    [made] = read(tmp_path / "a.jsonl", source="records", options=layout)
    assert made.verdict is None and made.text.replace("\n", "").replace(" ", "") == SENTENCES[0].replace(" ", "")
