"""Parquet files: the same field mapping as for JSON, read by row groups so that a file is never in memory whole."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from datapipe.config import HtmlConfig
from datapipe.sources.base import InputFile, Record, removed, turns
from datapipe.sources.files import DamagedFile
from datapipe.sources.records import Layout
from datapipe.sources.stored import Patient, Unreachable

_UNREADABLE = (ValueError, OverflowError, KeyError, pa.ArrowNotImplementedError)
"""What comes of a value that Python cannot hold: text that is not UTF-8, a date after the year 9999, a zone nobody knows."""


@dataclass(frozen=True)
class Parquet(Layout):
    """Parquet with any columns; see `Layout` for the options."""

    def read(self, file: InputFile, html: HtmlConfig) -> Iterator[Record]:
        with Patient(file.uri) as handle:
            yield from self.rows(parsed(handle, self.places()))

    def parts(self, file: InputFile, most: int) -> int:
        return turns(file, most)


def parsed(handle: Patient, places: Collection[str] = ()) -> Iterator[tuple[str, Any]]:
    """(place, fields) of each row, of the columns alone in which one of these dotted `places` lies, if any does; a row that
    cannot be read is a Record that says so. Raises DamagedFile where the file is none or a damaged one, and what the
    handle raises."""
    number = 0
    try:
        file = pq.ParquetFile(handle)
        wanted = {*places, *(place.partition(".")[0] for place in places)}
        columns = [name for name in file.schema_arrow.names if name in wanted]
        for batch in file.iter_batches(batch_size=256, columns=columns or None):
            yield from zip(map(str, range(number, number + len(batch))), _rows(batch, number), strict=True)
            number += len(batch)
    except (Unreachable, FileNotFoundError):  # Arrow hands on what the handle raised
        raise
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, UnicodeDecodeError, OSError) as error:
        raise DamagedFile("corrupt", 0, f"no Parquet file, or a damaged one: {error}") from None


def _rows(batch: pa.RecordBatch, first: int) -> list[Any]:
    try:
        rows: list[Any] = batch.to_pylist()
    except _UNREADABLE:
        rows = [_row(batch.slice(at, 1), str(first + at)) for at in range(len(batch))]
    return rows


def _row(row: pa.RecordBatch, key: str) -> Any:
    try:
        return row.to_pylist()[0]
    except _UNREADABLE as error:
        return removed(key, "corrupt_record", detail=f"a value that cannot be read: {error}")
