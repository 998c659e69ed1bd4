"""Files whose store fails: they are read on where they stopped, and a store that stays silent is no damage of the file."""

from __future__ import annotations

import io
import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from datapipe.sources import stored
from datapipe.sources.stored import Patient, Unreachable
from tests.datapipe.sources.builders import SENTENCES, outcomes, read

DATA = random.Random(1).randbytes(300_000)


class Store:
    """Opens local files that fail at the reads of these numbers, counted over all handles."""

    def __init__(self, failing: range) -> None:
        self.failing, self.reads = failing, 0

    def open_uri(self, uri: str, mode: str) -> io.BufferedReader:
        store = self

        class Handle(io.FileIO):
            def readinto(self, buffer: Any) -> int | None:
                store.reads += 1
                if store.reads in store.failing:
                    raise OSError("AWS Error NETWORK_CONNECTION during GetObject")
                return super().readinto(buffer)

        return io.BufferedReader(Handle(uri), 1 << 12)


def test_a_file_whose_store_fails_is_read_on_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "FIRST_WAIT", 0)
    monkeypatch.setattr(stored, "open_uri", Store(range(2, 4)).open_uri)
    (tmp_path / "a").write_bytes(DATA)
    with Patient(str(tmp_path / "a")) as handle:
        assert handle.read(70_000) == DATA[:70_000] and handle.tell() == 70_000
        assert handle.seek(-10, io.SEEK_END) == len(DATA) - 10 and handle.read() == DATA[-10:]
        assert handle.seek(5) == 5 and handle.seek(5, io.SEEK_CUR) == 10 and handle.read(20) == DATA[10:30]


@pytest.mark.parametrize("source", ["parquet", "instruct"])
def test_a_fault_of_the_store_is_never_taken_for_damage_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    monkeypatch.setattr(stored, "FIRST_WAIT", 0)
    rows = [{"text": f"{n} {SENTENCES[0]}", "prompt": f"{n}?", "answer": SENTENCES[n % 3]} for n in range(5000)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet", row_group_size=1000)
    sound = Store(range(0))
    for store in (sound, Store(range(2, 4))):
        monkeypatch.setattr(stored, "open_uri", store.open_uri)
        assert outcomes(read(tmp_path / "a.parquet", source=source, language="en")) == ["kept"] * 5000
    for first in (1, 2, sound.reads - 1):  # from the footer to the last of the columns
        monkeypatch.setattr(stored, "open_uri", Store(range(first, 100_000)).open_uri)
        with pytest.raises(Unreachable, match="gave up at byte .* after 5 attempts: AWS Error NETWORK_CONNECTION"):
            read(tmp_path / "a.parquet", source=source, language="en")
    monkeypatch.setattr(stored, "open_uri", lambda uri, mode: open(uri + ".gone", mode))
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "a.parquet", source=source, language="en")
