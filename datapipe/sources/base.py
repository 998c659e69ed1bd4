"""What a source is: it lists its files and turns the bytes of one file into records, in a stream.

A source knows formats, nothing else. Domains, languages, limits on text, ids and the ledger are the same for all of them
and live in `reading.py`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from core import storage
from datapipe.config import HtmlConfig
from datapipe.document import Verdict


@dataclass(frozen=True)
class InputFile:
    """A file of the corpus: where it lies, its path relative to the corpus (the `source` of its documents), size in bytes,
    and what the store calls its version (mtime or ETag). A large file is read in parts, each a task of
    its own: `part` of `parts`, which is the bytes from `begin` to `end` as stored (None: up to the end).

    `triaged` names what a first look at the corpus settled about the file ("" where there was none); `settled` holds it
    while the file is read: verdicts by record key, of records whose bodies need not be looked at."""

    uri: str
    path: str
    size: int
    version: str
    part: int = 0
    parts: int = 1
    triaged: str = ""
    settled: Mapping[str, Verdict] = field(default_factory=dict, compare=False, repr=False)

    @property
    def begin(self) -> int:
        return self.size * self.part // self.parts

    @property
    def end(self) -> int | None:
        return self.size * (self.part + 1) // self.parts if self.part + 1 < self.parts else None


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

    def parts(self, file: InputFile, most: int) -> int:
        """How many tasks may share a file, at about `most` stored bytes each. A source whose file cannot be entered in the
        middle, but is read much faster than its records are worked on, returns `turns(file, most)`: each part then reads
        through the file and works on every parts-th record. 1 where neither helps."""
        return 1

    def enters(self, file: InputFile) -> bool:
        """Whether `read` gives the records that begin in the file's part alone, and not all of them."""
        return False

    @abstractmethod
    def read(self, file: InputFile, html: HtmlConfig) -> Iterator[Record]:
        """The records of a file, in order. Raises DamagedFile where the file is damaged and nothing more can be read."""


def turns(file: InputFile, most: int) -> int:
    """Parts of a file that each of them reads through: a few, since what reading costs is paid by each."""
    return min(8, -(-file.size // most))


def relative(uri: str, root: str) -> str:
    """The path of a file below a root, in text that any store can hold: a name that is not UTF-8 shows its bytes escaped."""
    path = storage.local_path(uri).removeprefix(storage.local_path(root)).lstrip("/")
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def removed(key: str, rule: str, measure: float | None = None, bound: float | None = None, detail: str = "") -> Record:
    """A record that cannot become a document."""
    return Record(key, verdict=Verdict(f"extract.{rule}", measure, bound, detail or None))
