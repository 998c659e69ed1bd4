"""Records in JSON lines, JSON lists, CSV or TSV: fields are named in the config, so a new layout needs YAML and no code.

A text is one field (`text: body.content`) or a template over several (`template: "{question}\n\n{answer}"`). Everything is
read in a stream, a list in one JSON document too.
"""

from __future__ import annotations

import csv
import io
import json
import re
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from core.config import ConfigError, setting
from datapipe.config import HtmlConfig
from datapipe.document import DOMAINS
from datapipe.sources.base import InputFile, Record, Source, removed, turns
from datapipe.sources.charset import decode
from datapipe.sources.files import DamagedFile, form_of, open_buffered, open_members

_GAP = re.compile(r"\n{3,}")
_BETWEEN = re.compile(r"[\s,]*")
_LONGEST = 1 << 27  # characters of one entry of a JSON list


@dataclass(frozen=True)
class Layout(Source):
    """Which fields of a record hold what; a dotted name reaches into nested records, a number counts a row's columns."""

    text: str = setting("text", "field with the text")
    key_field: str = setting("", "field that names the record; empty: its place in the file")
    template: str = setting("", "instead of one field: a text with {fields} in it; what is missing is left out")
    turns: str = setting("", "instead of a text: field with the turns of a dialogue, whose contents follow one another")
    said: list[str] = setting(["content", "value", "text"], "fields of a turn that may hold what is said, the first found")
    url: str = setting("", "field with the URL")
    date: str = setting("", "field with the date")
    title: str = setting("", "field with the title")
    language_field: str = setting("", "field with the language, where texts are not to be identified")
    domain_field: str = setting("", "field with the domain, in files that mix them; empty: the rule's domain")
    domain_names: dict[str, str] = setting(
        {}, "domain by what `domain_field` says; what is not named here is of the rule's domain"
    )
    keep: list[str] = setting([], "fields to keep as metadata")
    remove: list[str] = setting([], "regular expressions of what is cut from the text (annotations of a data set)")
    where: dict[str, str] = setting({}, "only records in which each field has this value; others are passed over")
    together: int = setting(1, "records that make one document, for records too short to stand alone")

    def __post_init__(self) -> None:
        for pattern in self.remove:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ConfigError(f"remove: {pattern!r} is no regular expression: {error}.") from None
        for domain in self.domain_names.values():
            if domain not in DOMAINS:
                raise ConfigError(f"domain_names: {domain!r} is no domain; use {', '.join(DOMAINS)}.")
        if self.together < 1:
            raise ConfigError(f"together = {self.together} must be at least 1.")

    def places(self) -> list[str]:
        """The fields, as dotted names, that a record is made of."""
        filled = [name for _, name, _, _ in string.Formatter().parse(self.template)]
        named = (self.text, self.turns, self.key_field, self.url, self.date, self.title, self.language_field, self.domain_field)
        return [place for place in (*named, *filled, *self.keep, *self.where) if place]

    def record(self, key: str, fields: Mapping[str, Any]) -> Record:
        """A record from parsed fields."""
        text = self._cut(self._dialogue(fields) if self.turns else self._filled(fields))
        made = Record(_plain(_reach(fields, self.key_field)) or key, text)
        for name in ("url", "date", "title"):
            setattr(made, name, _plain(_reach(fields, getattr(self, name))) or None)
        made.language = _plain(_reach(fields, self.language_field)) or None
        domain = _plain(_reach(fields, self.domain_field))
        made.domain = (self.domain_names.get(domain) if self.domain_names else domain) or None
        made.metadata = {name: value for name in self.keep if (value := _plain(_reach(fields, name)))}
        return made

    def _cut(self, text: str) -> str:
        """The text less what `remove` names."""
        for pattern in self.remove:
            text = re.sub(pattern, "", text)
        return text

    def _dialogue(self, fields: Mapping[str, Any]) -> str:
        """What is said, turn by turn, without the names of the speakers: a dialogue as plain text."""
        turns = _reach(fields, self.turns)
        turns = turns if isinstance(turns, (list, tuple)) else []
        spoken = (next((turn[name] for name in self.said if name in turn), "") for turn in turns if isinstance(turn, Mapping))
        return "\n\n".join(filter(None, (_plain(words).strip() for words in spoken)))

    def _filled(self, fields: Mapping[str, Any]) -> str:
        if not self.template:
            return _plain(_reach(fields, self.text))
        parts = []
        for literal, name, _, _ in string.Formatter().parse(self.template):
            parts.append(literal)
            if name is not None:
                parts.append(_plain(_reach(fields, name)).strip())
        return _GAP.sub("\n\n", "".join(parts)).strip()

    def rows(self, parsed: Iterator[tuple[str, Any]]) -> Iterator[Record]:
        """Records from (key, parsed value) pairs, some of them together in one; a value that is a Record already says why
        it cannot become a document."""
        waiting: list[Record] = []
        for key, value in parsed:
            if isinstance(value, Record):
                yield value
            elif not isinstance(value, Mapping):
                yield removed(key, "corrupt_record", detail=f"a {type(value).__name__} stands where a record should")
            else:
                try:
                    waiting += [self.record(key, value)] if self._wanted(value) else []
                except RecursionError:
                    yield removed(key, "corrupt_record", detail="lists in lists, or records in records, too deep to be read")
                if len(waiting) == self.together:
                    yield _joined(waiting)
                    waiting = []
        if waiting:
            yield _joined(waiting)

    def _wanted(self, fields: Mapping[str, Any]) -> bool:
        return all(_plain(_reach(fields, name)) == value for name, value in self.where.items())


@dataclass(frozen=True)
class Records(Layout):
    """JSON lines, JSON lists, CSV and TSV."""

    format: Literal["", "jsonl", "json", "csv", "tsv"] = setting("", "how the file is written; empty: by its name's ending")
    at: str = setting("", "json: the field under which the list of records lies; empty: the file is the list")
    encoding: str = setting("", "encoding where it is not UTF-8")
    header: bool = setting(True, "csv, tsv: the first row names the columns; else they are called 0, 1, 2 ...")

    def read(self, file: InputFile, html: HtmlConfig) -> Iterator[Record]:
        if file.parts > 1 and self.enters(file):
            yield from self._part(file)
            return
        form = self.format or _form(file.path)
        with open_buffered(file.uri) as stream:
            sample = stream.peek(1 << 16)[: 1 << 16]
            encoding = "utf-8" if form in ("json", "jsonl") and not self.encoding else decode(sample, [self.encoding]).encoding
            encoding = "utf-8-sig" if encoding in ("ascii", "utf-8") else encoding
            if form == "jsonl":
                yield from self._lines(stream, encoding)
            elif form == "json":
                yield from self._list(io.TextIOWrapper(stream, encoding, "replace"))
            else:
                yield from self.rows(self._table(io.TextIOWrapper(stream, encoding, "replace", newline=""), form))

    def parts(self, file: InputFile, most: int) -> int:
        compressed = file.path.endswith((".gz", ".bz2", ".xz", ".zst"))
        return -(-file.size // most) if self._can_be_entered(file) and not compressed else turns(file, most)

    def enters(self, file: InputFile) -> bool:
        return self._can_be_entered(file) and not form_of(file.uri)

    def _can_be_entered(self, file: InputFile) -> bool:
        """Lines of UTF-8, each a record of its own that is known by its place."""
        lines = (self.format or _form(file.path)) == "jsonl"
        return lines and not self.encoding and not self.key_field and self.together == 1

    def _part(self, file: InputFile) -> Iterator[Record]:
        """The lines that begin in the file's part."""
        before = max(0, file.begin - 1)
        with open_members(file.uri, before) as members:
            members.pass_on(before)
            stream = io.BufferedReader(members, 1 << 16)
            first = before + len(stream.readline()) if before else 0
            yield from self._lines(stream, "utf-8-sig", first, file.end)

    def _lines(self, stream: io.BufferedReader[Any], encoding: str, first: int = 0, end: int | None = None) -> Iterator[Record]:
        yield from self.rows(self._parsed_lines(stream, encoding, first, end))

    def _parsed_lines(
        self, stream: io.BufferedReader[Any], encoding: str, offset: int, end: int | None
    ) -> Iterator[tuple[str, Any]]:
        for line in stream:
            if end is not None and offset >= end:
                return
            key, offset = str(offset), offset + len(line)
            if line.isspace():
                continue
            try:
                value = json.loads(line.decode(encoding))
            except (ValueError, RecursionError) as error:
                value = removed(key, "corrupt_record", detail=f"no JSON that can be read: {error}")
            yield key, value

    def _list(self, stream: io.TextIOBase) -> Iterator[Record]:
        yield from self.rows((str(number), value) for number, value in enumerate(_stream_list(stream, self.at)))

    def _table(self, stream: io.TextIOBase, form: str) -> Iterator[tuple[str, Any]]:
        lines = _without_nul(stream)
        rows = csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE) if form == "tsv" else csv.reader(lines)
        try:
            names = next(rows, []) if self.header else None
            for number, row in enumerate(rows):
                yield str(number), dict(zip(names if names is not None else map(str, range(len(row))), row, strict=False))
        except csv.Error as error:
            raise DamagedFile("corrupt", 0, f"no table near line {rows.line_num:,}: {error}") from None


csv.field_size_limit(1 << 27)


def _without_nul(stream: io.TextIOBase) -> Iterator[str]:
    return (line.replace("\0", "") for line in stream)


def _form(path: str) -> str:
    for ending, form in ((".jsonl", "jsonl"), (".ndjson", "jsonl"), (".json", "json"), (".csv", "csv"), (".tsv", "tsv")):
        if ending in path[-24:].lower():
            return form
    return "jsonl"


def _stream_list(stream: io.TextIOBase, at: str) -> Iterator[Any]:
    """The entries of a JSON list, one after the other; a file that is JSON lines after all is read as such.

    With `at` the list is a field of the document, which is then held whole (such files are small).
    """
    if at:
        try:
            whole = json.load(stream)
        except (ValueError, RecursionError) as error:
            raise DamagedFile("corrupt", 0, f"no JSON that can be read: {error}") from None
        entries = whole if isinstance(whole, list) else _reach(whole, at)
        if not isinstance(entries, list):
            raise DamagedFile("corrupt", 0, f"no list of records under {at!r}")
        yield from entries
        return
    parser, text, place, began = json.JSONDecoder(), "", 0, False
    while True:
        more = stream.read(1 << 20)
        text, place = text[place:] + more, 0
        while True:
            between = _BETWEEN.match(text, place)
            start = between.end() if between else place
            if not began and text[start : start + 1] == "[":
                began, place = True, start + 1
                continue
            if start >= len(text) or text[start] == "]":
                break
            began = True
            try:
                value, place = parser.raw_decode(text, start)
            except json.JSONDecodeError as error:
                if more and len(text) < _LONGEST:
                    break
                raise DamagedFile("corrupt", 0, f"no JSON near character {error.pos:,} of what is left: {error.msg}") from None
            except (ValueError, RecursionError) as error:  # JSON, but a number too long or lists too deep for the parser
                raise DamagedFile("corrupt", 0, f"no JSON that can be read: {error}") from None
            yield value
        if not more:
            return


def _reach(fields: Any, place: str) -> Any:
    if isinstance(fields, Mapping) and place in fields:
        return fields[place]
    for name in place.split(".") if place else ():
        fields = fields.get(name) if isinstance(fields, Mapping) else None
    return fields if place else None


def _plain(value: Any) -> str:
    """A field as text: lists line by line, nested records field by field."""
    if value is None:
        return ""
    if isinstance(value, (list, tuple)):
        return "\n".join(filter(None, map(_plain, value)))
    if isinstance(value, Mapping):
        return "\n".join(filter(None, map(_plain, value.values())))
    return value if isinstance(value, str) else str(value)


def _joined(records: list[Record]) -> Record:
    if len(records) == 1:
        return records[0]
    first = records[0]
    first.text = "\n\n".join(record.text for record in records)
    return first
