"""The consolidated checkpoint: whole or not there, damage is named, and the newest whole one is found."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from core.config import plain
from tests.trainer.worlds import tiny
from trainer.checkpoint import Checkpoint, CheckpointError, consolidate, newest, prune, steps_in
from trainer.model.initial import build

MODEL = tiny().model


def save(folder: Path, step: int) -> Path:
    weights = {name: parameter.detach() + step for name, parameter in build(MODEL, 1).named_parameters()}
    return consolidate(folder, step, {"model": plain(MODEL), "adam_step": step}, weights)


def test_what_was_written_is_read_whole_or_in_shares(tmp_path: Path) -> None:
    checkpoint = Checkpoint.open(save(tmp_path, 3))
    whole = checkpoint.tensor("layers.1.attention.out.weight")
    assert checkpoint.model == MODEL and checkpoint.step == 3
    assert torch.equal(
        torch.cat([checkpoint.share("layers.1.attention.out.weight", 1, rank, 4) for rank in range(4)], 1), whole
    )
    assert torch.equal(checkpoint.share("embedding.weight", 0, 1, 2), checkpoint.tensor("embedding.weight").chunk(2)[1])
    assert not checkpoint.tensor("norm.gain.exp_avg_sq").any()
    assert set(checkpoint.weights()) == {name for name, _ in build(MODEL, 1).named_parameters()}
    checkpoint.verify_all()


def test_a_damaged_checkpoint_is_named_and_passed_over(tmp_path: Path) -> None:
    for step in (1, 2, 3, 4):
        save(tmp_path, step)
    cut = tmp_path / "step-00000004/consolidated/layers.0.safetensors"
    cut.write_bytes(cut.read_bytes()[:-8])
    (tmp_path / "step-00000003/state.json").write_text("{", encoding="utf-8")
    said: list[str] = []
    found = newest(tmp_path, damaged=said.append)
    assert found is not None and found.step == 2
    assert "step-00000004/consolidated/layers.0.safetensors" in said[0] and "were written" in said[0]
    assert "step-00000003/state.json" in said[1]
    assert newest(tmp_path, at_most=1) is not None


def test_a_flipped_bit_is_found_by_the_checksum(tmp_path: Path) -> None:
    path = save(tmp_path, 1) / "consolidated/head.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    checkpoint = Checkpoint.open(tmp_path / "step-00000001")
    with pytest.raises(CheckpointError, match=r"head\.safetensors.*checksum"):
        checkpoint.verify("consolidated/head.safetensors")
    with pytest.raises(CheckpointError, match=r"head\.safetensors.*checksum"):
        checkpoint.verify_all()


def test_what_a_kill_left_half_written_is_no_checkpoint(tmp_path: Path) -> None:
    save(tmp_path, 1)
    (tmp_path / ".step-00000002.aside/consolidated").mkdir(parents=True)
    assert steps_in(tmp_path) == [1]
    save(tmp_path, 2)
    assert steps_in(tmp_path) == [1, 2]


def test_the_newest_and_every_nth_stay(tmp_path: Path) -> None:
    for step in range(1, 8):
        save(tmp_path, step)
    prune(tmp_path, keep=2, keep_every=3)
    assert steps_in(tmp_path) == [3, 6, 7]
