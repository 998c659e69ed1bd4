"""Pairs on stored hashes: every pair is measured by its true Jaccard, wherever leader and member lie."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from datapipe.config import DedupDocumentsConfig
from datapipe.dedup.buckets import bands
from datapipe.dedup.index import SIGNATURES, Place
from datapipe.dedup.minhash import MinHash
from datapipe.dedup.rank import SIZE, binary, ranks
from datapipe.dedup.shingles import ShingleSets
from datapipe.dedup.verify import gather, verify
from datapipe.shards import write_table

CONFIG = DedupDocumentsConfig(permutations=12, bands=3, rows=4)
SETS = [list(range(10)), list(range(1, 11)), [], list(range(5)), list(range(9)), [77]]


def written(folder: Path, name: str, own: list[int], domain: str = "WebText", language: str = "en") -> str:
    """A file of signatures of the documents with these numbers."""
    ids = [f"{number:032x}" for number in own]
    flat = np.array([value for number in own for value in SETS[number]], np.uint32)
    sets = ShingleSets(flat, np.cumsum([0] + [len(SETS[number]) for number in own]))
    signed = MinHash.of(CONFIG).sign(sets).view(np.uint8)
    columns = [
        pa.array(ids), pa.array([domain] * len(own)), pa.array([language] * len(own)),
        ranks(ids, [0.5] * len(own), [9] * len(own), [None] * len(own)),
        binary(signed), pa.array([sets[row].tobytes() for row in range(len(own))], pa.binary()),
    ]  # fmt: skip
    uri = str(folder / f"{name}.parquet")
    write_table(uri, SIGNATURES, [pa.RecordBatch.from_arrays(columns, schema=SIGNATURES)])
    return uri


def rank(number: int, era: int = 255) -> bytes:
    whole: bytes = ranks([f"{number:032x}"], [0.5], [9], [None])[0].as_py()
    return bytes([era]) + whole[1:]


def test_pairs_are_measured_by_true_jaccard_across_files_and_eras(tmp_path: Path) -> None:
    places = [
        Place(written(tmp_path, "a", [0, 1, 2])),
        Place(written(tmp_path, "b", [3, 4])),
        Place(written(tmp_path, "c", [0]), 7),
    ]
    pairs: dict[int, list[tuple[bytes | None, bytes]]] = {
        0: [(rank(0), rank(1)), (None, rank(1)), (rank(0, 7), rank(1)), (rank(0), rank(2))],
        1: [(rank(0), rank(3)), (rank(0), rank(4))],
    }
    schema = pa.schema([("leader", pa.binary()), ("member", pa.binary())])
    for shard, rows in pairs.items():
        batch = pa.RecordBatch.from_pylist([{"leader": a, "member": b} for a, b in rows], schema)
        write_table(str(tmp_path / "pairs" / f"shard={shard}" / "part.parquet"), schema, [batch])
    asked = [(0, rank(0), 0), (0, rank(0), 1), (2, rank(0, 7), 0)]
    rows = pa.RecordBatch.from_pylist([dict(zip(("place", "leader", "target"), row, strict=True)) for row in asked])
    sets = list(gather(iter([rows]), places))
    sets.sort(key=lambda batch: batch.column("target")[0].as_py() if batch.num_rows else 0)
    found = [row for batch in verify(iter(sets), places, str(tmp_path / "pairs"), 0.5) for row in batch.to_pylist()]
    likeness = {(row["leader"][0], row["leader"][-1], row["member"][-1]): row["likeness"] for row in found}
    assert likeness == {
        (255, 0, 1): pytest.approx(9 / 11),
        (7, 0, 1): pytest.approx(9 / 11),
        (255, 0, 3): pytest.approx(0.5),
        (255, 0, 4): pytest.approx(0.9),
    }


def test_rows_for_buckets_carry_their_era_and_leave_out_what_was_removed_or_is_empty(tmp_path: Path) -> None:
    schema = pa.schema([("id", pa.string()), ("survivor", pa.string())])
    gone = pa.RecordBatch.from_pylist([{"id": f"{1:032x}", "survivor": "x"}, {"id": f"{3:032x}", "survivor": None}], schema)
    write_table(str(tmp_path / "clusters" / "part.parquet"), schema, [gone])
    places = [
        Place(written(tmp_path, "a", [0, 1, 2, 3]), 7, str(tmp_path / "clusters")),
        Place(written(tmp_path, "b", [0])),
    ]
    files = pa.RecordBatch.from_pydict({"id": [0, 1]})

    def made(config: DedupDocumentsConfig) -> list[tuple[int, int, int]]:
        batches = bands(iter([files]), places, config)
        rows = [row for batch in batches for row in batch.to_pylist()]
        assert {len(row["row"]) for row in rows} == {SIZE + 8}
        return [(row["row"][0], row["row"][SIZE - 1], row["band"]) for row in rows]

    rows = made(CONFIG)
    assert [row[:2] for row in rows] == [(7, 0)] * 3 + [(7, 3)] * 3 + [(255, 0)] * 3


KINDS = {"crawl en": ("WebText", "en"), "crawl zh": ("WebText", "zh"), "book en": ("Book", "en"), "book zh": ("Book", "zh")}


@pytest.mark.parametrize(
    ("scopes", "meets"),
    [
        ({}, set(KINDS)),
        ({"scope": "language"}, {"crawl en", "book en"}),
        ({"scope": "domain"}, {"crawl en", "crawl zh"}),
        ({"scope": "language", "domain_scopes": {"Book": "domain"}}, {"crawl en"}),
        ({"scope": "domain", "domain_scopes": {"WebText": "corpus", "Book": "corpus"}}, set(KINDS)),
    ],
)
def test_the_same_text_meets_itself_within_its_scope_only(tmp_path: Path, scopes: dict[str, Any], meets: set[str]) -> None:
    places = [Place(written(tmp_path, name, [0], *kind)) for name, kind in KINDS.items()]
    config = DedupDocumentsConfig(permutations=12, bands=3, rows=4, **scopes)

    def keys(place: int) -> set[int]:
        batches = bands(iter([pa.RecordBatch.from_pydict({"id": [place]})]), places, config)
        return {row["band"] for batch in batches for row in batch.to_pylist()}

    first = keys(0)
    assert all(keys(place) == first or keys(place).isdisjoint(first) for place in range(4))
    assert {name for place, name in enumerate(KINDS) if keys(place) == first} == meets
