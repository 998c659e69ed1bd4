"""The .bin/.idx format: the bytes that Megatron writes, and refusal of what cannot be right."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenizer.shards import DamagedShard, Shard, ShardWriter, dtype_for, index_bytes

sequences_of_ids = st.lists(st.lists(st.integers(0, 65_000), min_size=1, max_size=20), min_size=1, max_size=10)


def write(path: Path, sequences: list[list[int]], dtype: str = "uint16") -> Shard:
    with ShardWriter(str(path), dtype) as writer:
        for number, ids in enumerate(sequences):
            writer.add(ids, language="en" if number % 3 else "zh", utf8_bytes=10 * number)
    return Shard(str(path))


def index_by_hand(sequences: list[list[int]], code: int, width: int) -> bytes:
    """The layout packed field by field, as the format's description reads."""
    raw = b"MMIDIDX\x00\x00" + struct.pack("<Q", 1) + struct.pack("<B", code)
    raw += struct.pack("<Q", len(sequences)) + struct.pack("<Q", len(sequences) + 1)
    raw += b"".join(struct.pack("<i", len(ids)) for ids in sequences)
    raw += b"".join(struct.pack("<q", width * sum(map(len, sequences[:n]))) for n in range(len(sequences)))
    return raw + b"".join(struct.pack("<q", n) for n in range(len(sequences) + 1))


@given(sequences_of_ids, st.sampled_from([("uint16", 8, 2, "H"), ("int32", 4, 4, "i")]))
def test_files_are_the_layout_byte_for_byte_and_read_back(
    tmp_path_factory: pytest.TempPathFactory, sequences: list[list[int]], kind: tuple[str, int, int, str]
) -> None:
    dtype, code, width, letter = kind
    path = tmp_path_factory.mktemp("shard") / "WebText" / "train-00000"
    shard = write(path, sequences, dtype)
    flat = [token for ids in sequences for token in ids]
    assert Path(f"{path}.bin").read_bytes() == struct.pack(f"<{len(flat)}{letter}", *flat)
    assert Path(f"{path}.idx").read_bytes() == index_by_hand(sequences, code, width)
    assert [shard[n].tolist() for n in range(len(shard))] == sequences
    assert shard.tokens.tolist() == flat
    assert shard.records()["utf8_bytes"].tolist() == [10 * n for n in range(len(sequences))]


@pytest.mark.parametrize(("vocabulary", "dtype"), [(8_000, "uint16"), (65_499, "uint16"), (65_500, "int32"), (80_000, "int32")])
def test_the_type_follows_from_the_vocabulary_as_megatron_chooses_it(vocabulary: int, dtype: str) -> None:
    assert dtype_for(vocabulary) == np.dtype(dtype)


def test_checksums_in_the_manifest_are_those_of_the_files(tmp_path: Path) -> None:
    with ShardWriter(str(tmp_path / "a"), "int32") as writer:
        writer.add([5, 6, 2])
    assert writer.written is not None
    assert (writer.written.documents, writer.written.tokens) == (1, 3)
    Shard(str(tmp_path / "a")).verify(writer.written.sha256)


def test_tokens_are_counted_by_language_and_codes_follow_the_sorted_names(tmp_path: Path) -> None:
    with ShardWriter(str(tmp_path / "a"), "uint16") as writer:
        writer.add([5, 2], "zh", 4)
        writer.add([5, 6, 2], "en", 7)
        writer.add([9, 2], "zh", 5)
    assert writer.written is not None
    assert writer.written.languages == {"en": 3, "zh": 4}
    assert writer.written.utf8_bytes == 16
    assert Shard(str(tmp_path / "a")).records().tolist() == [(1, 4), (0, 7), (1, 5)]


def test_nothing_is_left_when_writing_fails(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), ShardWriter(str(tmp_path / "a"), "int32") as writer:
        writer.add([5, 6, 2])
        raise RuntimeError("a full disk")
    assert list(tmp_path.iterdir()) == []


def test_ids_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="do not fit uint16"), ShardWriter(str(tmp_path / "a"), "uint16") as writer:
        writer.add([70_000, 2])


def test_an_empty_shard_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least one document"), ShardWriter(str(tmp_path / "a"), "uint16"):
        pass


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def _flip_offset(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[34 + 4 * 2 + 8] ^= 1  # the second sequence's byte offset
    path.write_bytes(bytes(raw))


def _other_magic(path: Path) -> None:
    path.write_bytes(b"NOTANIDX" + path.read_bytes()[8:])


@pytest.mark.parametrize(
    ("ending", "damage", "words"),
    [
        ("bin", _cut, "its index counts 12"),
        ("idx", _cut, "need"),
        ("idx", _flip_offset, "byte offsets"),
        ("idx", _other_magic, "begins with"),
        ("idx", lambda path: path.write_bytes(b""), "too few"),
        ("bin", lambda path: path.unlink(), "is missing"),
    ],
)
def test_a_damaged_shard_is_refused_by_name(tmp_path: Path, ending: str, damage: Callable[[Path], object], words: str) -> None:
    write(tmp_path / "train-00000", [[1, 2, 3], [4, 5, 2]])
    damage(tmp_path / f"train-00000.{ending}")
    with pytest.raises(DamagedShard, match=words) as refusal:
        Shard(str(tmp_path / "train-00000"))
    assert f"train-00000.{ending}" in str(refusal.value)


def test_a_changed_token_is_found_by_its_checksum(tmp_path: Path) -> None:
    with ShardWriter(str(tmp_path / "a"), "uint16") as writer:
        writer.add([1, 2, 3])
    assert writer.written is not None
    (tmp_path / "a.bin").write_bytes(b"\x01\x00\x02\x00\x04\x00")
    with pytest.raises(DamagedShard, match="a.bin: SHA-256"):
        Shard(str(tmp_path / "a")).verify(writer.written.sha256)


def test_an_index_of_no_sequences_has_the_one_document_index() -> None:
    assert len(index_bytes(np.zeros(0, "i4"), "int32")) == 34 + 8
