"""The record that every stage reads and writes, and its Arrow schema.

`id` is a hash of (corpus-relative source, record key): unique, fixed at extract, the same on every machine. The content
alone would not do (a page crawled twice would collide, and joins would multiply rows), nor a row number (it depends on
how the work was cut).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import xxhash

DOMAINS = (
    "WebText", "Code", "Book", "WorldKnowledge", "QA", "AcademicPaper", "Profession-Law", "Profession-Math",
    "Profession-Patent", "Profession-Medical", "ClassicalChinese",
)  # fmt: skip
"""The domains of the report's Table 1."""

INSTRUCT = "instruct"
"""In a document's metadata where it is instruct data: the name of its layout."""

VERDICT = pa.struct([("rule", pa.string()), ("measure", pa.float64()), ("bound", pa.float64()), ("detail", pa.string())])

_Text = TypeVar("_Text", str, str | None)

SCHEMA = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("key", pa.string(), nullable=False),
        pa.field("url", pa.string()),
        pa.field("date", pa.string()),
        pa.field("domain", pa.string(), nullable=False),
        pa.field("language", pa.string(), nullable=False),
        pa.field("title", pa.string()),
        pa.field("text", pa.large_string(), nullable=False),
        pa.field("content_hash", pa.int64(), nullable=False),
        pa.field("quality", pa.float32()),
        pa.field("cluster", pa.string()),
        pa.field("metadata", pa.map_(pa.string(), pa.string())),
        pa.field("measures", pa.map_(pa.string(), pa.float32())),
        pa.field("verdict", VERDICT),
    ]
)


@dataclass(frozen=True)
class Verdict:
    """Why a document goes: the rule that it broke, what was measured, the bound that it broke, and words where they help."""

    rule: str
    measure: float | None = None
    bound: float | None = None
    detail: str | None = None

    def row(self) -> dict[str, Any]:
        return {"rule": self.rule, "measure": self.measure, "bound": self.bound, "detail": _utf8(self.detail)}


def document_id(source: str, key: str) -> str:
    """32 hex digits from the corpus-relative path of the file and the record's key (or offset) in it."""
    return xxhash.xxh3_128_hexdigest(f"{source}\0{key}".encode("utf-8", "surrogatepass"))


def content_hash(text: str) -> int:
    """A signed 64-bit hash of the text, for exact comparison (Spark has no unsigned integers)."""
    return int(np.uint64(xxhash.xxh3_64_intdigest(text.encode("utf-8", "surrogatepass"))).astype(np.int64))


def _utf8(text: _Text) -> _Text:
    """The text with a question mark for each lone surrogate, which JSON can write (`"\\ud83d"`) and UTF-8 cannot hold."""
    return text if text is None or text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def shard_of(identity: str, shards: int) -> int:
    """The shard that a document belongs to, from its id alone."""
    return int(identity[:8], 16) % shards


@dataclass
class Document:
    """A document as sources make it and as rules see it; `verdict` is set when it leaves the line."""

    source: str
    key: str
    domain: str
    text: str
    language: str = "und"
    url: str | None = None
    date: str | None = None
    title: str | None = None
    quality: float | None = None
    cluster: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    measures: dict[str, float] | None = None
    verdict: Verdict | None = None

    @property
    def id(self) -> str:
        return document_id(self.source, self.key)

    def row(self) -> dict[str, Any]:
        """The record in the form of `SCHEMA`, all of its text in what UTF-8 can hold; the id is that of the key as it came."""
        text = _utf8(self.text)
        return {
            "id": self.id,
            "source": _utf8(self.source),
            "key": _utf8(self.key),
            "url": _utf8(self.url),
            "date": _utf8(self.date),
            "domain": _utf8(self.domain),
            "language": _utf8(self.language),
            "title": _utf8(self.title),
            "text": text,
            "content_hash": content_hash(text),
            "quality": self.quality,
            "cluster": self.cluster,
            "metadata": [(_utf8(name), _utf8(value)) for name, value in self.metadata.items()],
            "measures": None if self.measures is None else list(self.measures.items()),
            "verdict": None if self.verdict is None else self.verdict.row(),
        }


def to_batch(documents: Iterable[Document]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist([document.row() for document in documents], schema=SCHEMA)


def with_verdicts(batch: pa.RecordBatch, verdicts: list[Verdict | None], texts: list[str] | None = None) -> pa.RecordBatch:
    """The same rows with these verdicts and, where given, edited texts (their content hash follows)."""
    rows = pa.array([None if verdict is None else verdict.row() for verdict in verdicts], VERDICT)
    batch = set_column(batch, "verdict", rows)
    if texts is not None:
        batch = set_column(batch, "text", pa.array(texts, pa.large_string()))
        batch = set_column(batch, "content_hash", pa.array([content_hash(text) for text in texts], pa.int64()))
    return batch


def set_column(batch: pa.RecordBatch, name: str, column: pa.Array) -> pa.RecordBatch:
    """The batch with one column replaced, in the order of `SCHEMA`."""
    columns = [column if field.name == name else batch.column(field.name) for field in SCHEMA]
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)
