"""Parquet by the fields of its columns; what cannot be read is on the ledger."""

from __future__ import annotations

from array import array
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tests.datapipe.sources.builders import SENTENCES, outcomes, read


def test_parquet_with_nested_fields(tmp_path: Path) -> None:
    rows = [{"content": {"body": sentence}, "link": "http://a.org"} for sentence in SENTENCES]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    made = read(tmp_path / "a.parquet", source="parquet", options={"text": "content.body", "url": "link"})
    assert [(d.text, d.url) for d in made] == [(sentence, "http://a.org") for sentence in SENTENCES]
    (tmp_path / "b.parquet").write_bytes((tmp_path / "a.parquet").read_bytes()[:-30])
    assert outcomes(read(tmp_path / "b.parquet", source="parquet")) == ["extract.corrupt_file"]


def test_a_row_of_parquet_that_python_cannot_hold_goes_to_the_ledger_alone(tmp_path: Path) -> None:
    data = b"".join([SENTENCES[0].encode(), b"\xff\xfe", SENTENCES[1].encode()])
    ends = [0, len(SENTENCES[0]), len(SENTENCES[0]) + 2, len(data)]
    text = pa.Array.from_buffers(pa.string(), 3, [None, pa.py_buffer(array("i", ends)), pa.py_buffer(data)])
    dates = pa.array([0, 0, 10**18], pa.timestamp("us"))
    zones = pa.array([0, 0, 0], pa.timestamp("us", tz="Nowhere/Else"))
    pq.write_table(pa.table({"text": text, "when": dates, "zone": zones}), tmp_path / "a.parquet")
    assert outcomes(read(tmp_path / "a.parquet", source="parquet")) == ["kept", "extract.corrupt_record", "kept"]
    made = read(tmp_path / "a.parquet", source="parquet", options={"date": "when"})
    assert outcomes(made) == ["kept", "extract.corrupt_record", "extract.corrupt_record"]
    assert [d.key for d in made] == ["0", "1", "2"]
    made = read(tmp_path / "a.parquet", source="parquet", options={"date": "zone"})
    assert outcomes(made) == ["extract.corrupt_record"] * 3
    made = read(tmp_path / "a.parquet", source="parquet", options={"text": "body"})
    assert outcomes(made) == ["extract.corrupt_record"] * 3, "where no column is mapped all are read, and none is lost"
