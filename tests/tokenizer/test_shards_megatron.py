"""Megatron-LM's own builder and reader against ours (slow: importing megatron-core takes ten seconds)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tokenizer.shards import Shard, ShardWriter


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [np.uint16, np.int32])
def test_bytes_equal_megatrons_builder_and_its_reader_reads_ours(tmp_path: Path, dtype: type) -> None:
    import torch
    from megatron.core.datasets.indexed_dataset import IndexedDataset, IndexedDatasetBuilder

    random = np.random.default_rng(0)
    sequences = [random.integers(0, 60_000, size).tolist() for size in random.integers(1, 300, 50)]
    builder = IndexedDatasetBuilder(str(tmp_path / "theirs.bin"), dtype=dtype)
    with ShardWriter(str(tmp_path / "ours"), dtype) as writer:
        for ids in sequences:
            writer.add(ids)
            builder.add_item(torch.tensor(ids))
            builder.end_document()
    builder.finalize(str(tmp_path / "theirs.idx"))
    for ending in ("bin", "idx"):
        assert (tmp_path / f"ours.{ending}").read_bytes() == (tmp_path / f"theirs.{ending}").read_bytes()
    dataset = IndexedDataset(str(tmp_path / "ours"))
    shard = Shard(str(tmp_path / "theirs"))
    assert len(dataset) == len(shard) == len(sequences)
    for number, ids in enumerate(sequences):
        assert dataset[number].tolist() == shard[number].tolist() == ids
