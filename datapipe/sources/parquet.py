"""Parquet files: the same field mapping as for JSON, read by row groups so that a file is never in memory whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from core.storage import open_uri
from datapipe.config import HtmlConfig
from datapipe.sources.base import InputFile, Record, turns
from datapipe.sources.files import DamagedFile
from datapipe.sources.records import Layout


@dataclass(frozen=True)
class Parquet(Layout):
    """Parquet with any columns; see `Layout` for the options."""

    def read(self, file: InputFile, html: HtmlConfig) -> Iterator[Record]:
        with open_uri(file.uri) as handle:
            yield from self.rows(parsed(handle))

    def parts(self, file: InputFile, most: int) -> int:
        return turns(file, most)


def parsed(handle: IO[bytes]) -> Iterator[tuple[str, Any]]:
    """(place, fields) of each row. Raises DamagedFile where the file is none or a damaged one."""
    number = 0
    try:
        for batch in pq.ParquetFile(handle).iter_batches(batch_size=256):
            for row in batch.to_pylist():
                yield str(number), row
                number += 1
    except (pa.ArrowInvalid, OSError) as error:
        raise DamagedFile("corrupt", 0, f"no Parquet file, or a damaged one: {error}") from None
