"""What a source is: it lists its files and turns the bytes of one file into records, in a stream.

A source knows formats, nothing else. Domains, languages, limits on text, ids and the ledger are the same for all of them
and live in `reading.py`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field

from core import storage
from datapipe.config import HtmlConfig
from datapipe.document import Verdict


@dataclass(frozen=True)
class InputFile:
    """A file of the corpus: where it lies, its path relative to the corpus (the `source` of its documents), size in bytes,
    and what the store calls its version (mtime or ETag)."""

    uri: str
    path: str
    size: int
    version: str


@dataclass
class Record:
    """One record of a file: `key` is unique in the file and stays the same when the file is read again; a verdict says
    that it cannot become a document, and why."""

    key: str
    text: str = ""
    url: str | None = None
    date: str | None = None
    title: str | None = None
    language: str | None = None
    domain: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    verdict: Verdict | None = None


@dataclass(frozen=True)
class Source(ABC):
    """Base of the sources; a subclass is a frozen dataclass whose fields, made by `setting`, are its options in YAML."""

    def files(self, corpus: str, pattern: str) -> list[InputFile]:
        """The files of the corpus that a pattern names, sorted by path."""
        root = corpus.rstrip("/")
        found = storage.listing(storage.join(root, pattern)) if pattern else []
        return [InputFile(info.uri, relative(info.uri, root), info.size, info.version) for info in found]

    @abstractmethod
    def read(self, file: InputFile, html: HtmlConfig) -> Iterator[Record]:
        """The records of a file, in order. Raises DamagedFile where the file is damaged and nothing more can be read."""


def relative(uri: str, root: str) -> str:
    """The path of a file below a root, in text that any store can hold: a name that is not UTF-8 shows its bytes escaped."""
    path = storage.local_path(uri).removeprefix(storage.local_path(root)).lstrip("/")
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def removed(key: str, rule: str, measure: float | None = None, bound: float | None = None, detail: str = "") -> Record:
    """A record that cannot become a document."""
    return Record(key, verdict=Verdict(f"extract.{rule}", measure, bound, detail or None))
