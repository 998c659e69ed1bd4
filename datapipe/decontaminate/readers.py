"""Benchmarks as items: one reader a benchmark, and one for any JSONL or text that has none.

A reader says which parts of a record a page could hold word for word: the texts that it asks about, the choices, and the
answer where it is worth finding by itself. To add a benchmark, write one function below and name its files in the config.
"""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from core import storage
from core.config import ConfigError


@dataclass(frozen=True)
class Item:
    """A test item: its key, the texts that it consists of, its choices, and its answer if that is a text of its own."""

    key: str
    texts: list[str]
    choices: list[str] = field(default_factory=list)
    answer: str = ""


Record = Any
Reader = Callable[[Record], Iterator[Item] | list[Item]]
READERS: dict[str, Reader] = {}


def reader(name: str) -> Callable[[Reader], Reader]:
    """Makes a function from one record (a JSON object, a CSV row as a dict, a block of text) the reader of a benchmark."""

    def register(function: Reader) -> Reader:
        READERS[name] = function
        return function

    return register


@reader("gsm8k")
def gsm8k(record: Record) -> list[Item]:
    """Question, and the solution without the calculator's annotations (<<16-3=13>>) and its last line (#### 13)."""
    solution = re.sub(r"<<[^>]*>>|####.*", "", record["answer"])
    return [Item("", [record["question"]], answer=solution)]


@reader("humaneval")
def humaneval(record: Record) -> list[Item]:
    """The prompt: signature and docstring. Canonical solutions are too ordinary: their n-grams stand in any code."""
    return [Item(record["task_id"], [record["prompt"]])]


@reader("bbh")
def bbh(record: Record) -> list[Item]:
    """The tasks' inputs, and each question of the chain-of-thought prompts with its worked answer (blocks of text)."""
    if isinstance(record, str):
        return [] if "canary GUID" in record else [Item("cot", [record])]
    return [Item(str(number), [entry["input"]]) for number, entry in enumerate(record["examples"])]


@reader("arc")
def arc(record: Record) -> list[Item]:
    return [Item("", [record["query"].removeprefix("Question: ")], record["choices"])]


@reader("hellaswag")
def hellaswag(record: Record) -> list[Item]:
    """Six lines an item: context, number of the right ending, four endings. Only the right one was ever a text."""
    lines = record.strip().split("\n")
    found = []
    for start in range(0, len(lines) - 5, 6):
        context, right, endings = lines[start], int(lines[start + 1]), lines[start + 2 : start + 6]
        found.append(Item(str(start // 6), [f"{context.split(': ', 1)[-1]} {endings[right]}"]))
    return found


def _choices(row: dict[str, str]) -> list[str]:
    """The choices of a row: columns A to D, or choice0 to choice3."""
    return [row[name] for name in row if re.fullmatch(r"[A-E]|choice\d", name)]


@reader("mmlu")
@reader("cmmlu")
@reader("ceval")
def multiple_choice(record: Record) -> list[Item]:
    """A question and its choices, by the names of the columns; MMLU's own files have no header: question, four choices."""
    question = record["question"] if "question" in record else record["Question"]
    return [Item(str(record.get("id", "")), [question], _choices(record))]


@reader("truthfulqa")
def truthfulqa(record: Record) -> list[Item]:
    return [Item("", [record["Question"]], [record["Best Answer"]])]


@reader("winogrande")
def winogrande(record: Record) -> list[Item]:
    """Both readings of the sentence, in full."""
    return [Item(str(n), [f"{option} {record['continuation']}"]) for n, option in enumerate(record["context_options"])]


@reader("c3")
def c3(record: Record) -> Iterator[Item]:
    """A list of [passage or dialogue, questions, key]."""
    for passage, questions, key in record:
        for number, entry in enumerate(questions):
            yield Item(f"{key}-{number}", ["\n".join(passage), entry["question"]], entry["choice"])


@reader("chid")
def chid(record: Record) -> list[Item]:
    """The passage with its idiom put back."""
    idiom = record["candidates"][int(record["answer"])]
    return [Item(str(record["id"]), [record["content"].replace("#idiom#", idiom)])]


@reader("csl")
def csl(record: Record) -> list[Item]:
    return [Item(str(record["id"]), [record["abst"]])]


def generic(record: Record) -> list[Item]:
    """Any other JSON, CSV or text: the strings of a record are its texts, at any depth; a list holds a record each."""
    if isinstance(record, list):
        return [item for entry in record for item in generic(entry)]
    return [Item("", texts)] if (texts := list(_strings(record))) else []


def _strings(value: Record) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for entry in value.values() if isinstance(value, dict) else value:
            yield from _strings(entry)


def read_benchmark(name: str, pattern: str) -> Iterator[Item]:
    """The items of a benchmark's files, keyed by file and record. Raises ConfigError where no file is there."""
    files = [info.uri for info in storage.listing(pattern) if _kind(info.uri)]
    if not files:
        raise ConfigError(f"decontaminate.benchmarks.{name} = {pattern!r}: no JSON, JSONL, CSV or text file is there.")
    read = READERS.get(name, generic)
    for uri in files:
        stem = uri.rsplit("/", 1)[-1].split(".")[0]
        for number, record in enumerate(_records(uri, blocks=name != "hellaswag")):
            try:
                items = list(read(record))
            except (KeyError, IndexError, TypeError, ValueError) as error:
                raise ConfigError(
                    f"decontaminate.benchmarks.{name}: {uri}, record {number}: {type(error).__name__} {error}; "
                    f"the reader of {name} expects another layout, give the files another name to read them as plain records."
                ) from error
            for place, item in enumerate(items):
                key = item.key or (number if len(items) == 1 else f"{number}-{place}")
                yield Item(f"{stem}#{key}", item.texts, item.choices, item.answer)


def _kind(uri: str) -> str:
    """jsonl, json, csv or txt, by the name (less a compression's suffix); empty for licences, readmes and other files."""
    name = re.sub(r"\.(gz|bz2)$", "", uri.rsplit("/", 1)[-1])
    if re.match(r"licen[sc]e|readme", name, re.IGNORECASE):
        return ""
    suffix = name.rsplit(".", 1)[-1].lower() if "." in name else ""
    return {"jsonl": "jsonl", "json": "json", "csv": "csv", "txt": "txt", "md": "txt"}.get(suffix, "")


def _records(uri: str, blocks: bool) -> Iterator[Record]:
    text = _text(uri)
    kind = _kind(uri)
    if kind in ("jsonl", "json"):
        yield from _json_records(text)
    elif kind == "csv":
        yield from _rows(text)
    elif blocks:
        yield from (block for block in re.split(r"\n\s*\n", text) if block.strip())
    else:
        yield text


def _json_records(text: str) -> Iterator[Record]:
    """One JSON value, or one a line: files named .json hold either."""
    try:
        yield json.loads(text)
    except json.JSONDecodeError:
        yield from (json.loads(line) for line in text.split("\n") if line.strip())


def _rows(text: str) -> Iterator[dict[str, str]]:
    """CSV rows by column name; a first row without any known name is a row (MMLU as published)."""
    rows = list(csv.reader(io.StringIO(text)))
    header = rows[0] if rows else []
    if not {"question", "Question"} & set(header):
        header, rows = ["question", "A", "B", "C", "D", "answer"], [[], *rows]
    yield from (dict(zip(header, row, strict=False)) for row in rows[1:] if row)


def _text(uri: str) -> str:
    with storage.open_uri(uri) as handle:
        data: bytes = handle.read()
    data = gzip.decompress(data) if uri.endswith(".gz") else bz2.decompress(data) if uri.endswith(".bz2") else data
    return data.decode("utf-8-sig").replace("\r\n", "\n")
