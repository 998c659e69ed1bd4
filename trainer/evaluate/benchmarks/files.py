"""A folder of benchmarks as records: JSON, JSON lines and CSV, plain or compressed, by patterns of file names."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from core import storage
from core.config import ConfigError

COMPRESSION = r"(\.gz|\.bz2)?$"


@dataclass(frozen=True)
class Folder:
    """One benchmark's folder, by path or URI."""

    uri: str

    def files(self, pattern: str, needed: bool = True) -> list[str]:
        """The files whose path below the folder matches a regular expression (compression's suffix apart), sorted.

        Raises ConfigError where there is none and one is needed.
        """
        base = storage.local_path(self.uri) if storage.is_local(self.uri) else self.uri
        found = [info.uri for info in storage.listing(self.uri)]
        chosen = sorted(uri for uri in found if re.fullmatch(pattern + COMPRESSION, uri[len(base) :].lstrip("/")))
        if needed and not chosen:
            raise ConfigError(
                f"{self.uri}: holds no file like {pattern} (plain, .gz or .bz2), of which this benchmark is read."
            )
        return chosen

    def text(self, uri: str) -> str:
        with storage.open_uri(uri) as handle:
            data: bytes = handle.read()
        data = gzip.decompress(data) if uri.endswith(".gz") else bz2.decompress(data) if uri.endswith(".bz2") else data
        return data.decode("utf-8-sig").replace("\r\n", "\n")

    def texts(self, pattern: str, needed: bool = True) -> Iterator[tuple[str, str]]:
        """(stem of the file's name, its text) of each matching file."""
        for uri in self.files(pattern, needed):
            yield uri.rsplit("/", 1)[-1].split(".")[0], self.text(uri)

    def json(self, pattern: str, needed: bool = True) -> Iterator[tuple[str, Any]]:
        """(stem, value) of each JSON value: one a file, or one a line."""
        for stem, text in self.texts(pattern, needed):
            try:
                yield stem, json.loads(text)
            except json.JSONDecodeError:
                for line in text.split("\n"):
                    if line.strip():
                        yield stem, json.loads(line)

    def rows(self, pattern: str, header: list[str], needed: bool = True) -> Iterator[tuple[str, int, dict[str, str]]]:
        """(stem, number in the file, row by column name) of CSV files; one without names in its first row has `header`'s.

        The word "question" tells names from an item: a row whose answer is B holds a column's name too.
        """
        for stem, text in self.texts(pattern, needed):
            rows = [row for row in csv.reader(io.StringIO(text)) if row]
            named = bool(rows) and "question" in {cell.strip().lower() for cell in rows[0]}
            names = rows[0] if named else header
            yield from ((stem, number, dict(zip(names, row, strict=False))) for number, row in enumerate(rows[named:]))
