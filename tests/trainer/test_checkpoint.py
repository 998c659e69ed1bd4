"""The consolidated checkpoint: whole or not there, damage is named, and the newest whole one is found."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.config import ConfigError, plain
from tests.trainer.launched import verify_all
from tests.trainer.worlds import tiny
from trainer.checkpoint import Checkpoint, CheckpointError, consolidate, newest, prune, set_aside, steps_in
from trainer.model.initial import build

MODEL = tiny().model


def save(folder: Path, step: int) -> Path:
    weights = {name: parameter.detach() + step for name, parameter in build(MODEL, 1).named_parameters()}
    return consolidate(folder, step, {"model": plain(MODEL), "adam_step": step}, weights)


def test_what_was_written_is_read_whole_or_in_shares(tmp_path: Path) -> None:
    checkpoint = Checkpoint.open(save(tmp_path, 3))
    whole = checkpoint.tensor("layers.1.attention.out.weight")
    assert checkpoint.model == MODEL and checkpoint.step == 3
    assert checkpoint.shapes("consolidated/layers.1.safetensors")["layers.1.attention.out.weight"] == list(whole.shape)
    assert checkpoint.shapes("consolidated/layers.9.safetensors") == {}
    assert not checkpoint.tensor("norm.gain.exp_avg_sq").any()
    assert set(checkpoint.weights()) == {name for name, _ in build(MODEL, 1).named_parameters()}
    verify_all(checkpoint)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(["layers.0.attention.out.weight", "embedding.weight", "norm.gain"]),
    dim=st.sampled_from([None, 0, 1]),
    size=st.sampled_from([1, 2, 4]),
    data=st.data(),
)
def test_a_piece_of_a_share_is_what_the_whole_holds_there(
    tmp_path: Path, name: str, dim: int | None, size: int, data: st.DataObject
) -> None:
    checkpoint = Checkpoint.open(tmp_path / "step-00000003" if steps_in(tmp_path) else save(tmp_path, 3))
    whole = checkpoint.tensor(name)
    dim = None if dim == 1 and whole.ndim == 1 else dim
    rank = data.draw(st.integers(0, size - 1))
    share = (whole if dim is None else whole.chunk(size, dim)[rank]).flatten()
    start = data.draw(st.integers(0, len(share) - 1))
    count = data.draw(st.integers(1, len(share) - start))
    assert torch.equal(checkpoint.elements(name, dim, rank, size, start, count), share[start : start + count])


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


@pytest.mark.parametrize(
    "written, flipped",
    [
        ('"sequences": 48', '"sequences": 58'),
        ('"adam_step": 12', '"adam_step": 13'),
        ('"mix": "a1"', '"mix": "a0"'),
        ("2.5", "3.5"),
        ('"format": 2', '"format": 1'),
    ],
)
def test_a_flipped_digit_of_the_state_is_damage(tmp_path: Path, written: str, flipped: str) -> None:
    save(tmp_path, 1)
    state = {"model": plain(MODEL), "adam_step": 12, "sequences": 48, "mix": "a1", "last_loss": float("nan")}
    weights = {name: parameter.detach() for name, parameter in build(MODEL, 1).named_parameters()}
    # What growth hands on of its source's state names that one's sum.
    file = consolidate(tmp_path, 2, {**state, "monitor": {"losses": [2.5], 7: (1, 2)}, "sha256": "0"}, weights) / "state.json"
    assert Checkpoint.open(file.parent).state["monitor"] == {"losses": [2.5], "7": [1, 2]}
    text = file.read_text(encoding="utf-8")
    assert text.count(written) == 1
    file.write_text(text.replace(written, flipped), encoding="utf-8")
    said: list[str] = []
    found = newest(tmp_path, damaged=said.append)
    assert found is not None and found.step == 1
    assert said == [f"{file}: its contents are not what was written (checksum). It is passed over."]


def test_a_checkpoint_of_another_version_is_refused_and_not_passed_over(tmp_path: Path) -> None:
    save(tmp_path, 1)
    file = save(tmp_path, 2) / "state.json"
    state = json.loads(file.read_text(encoding="utf-8"))
    del state["sha256"]
    file.write_text(json.dumps({**state, "format": 1}), encoding="utf-8")
    with pytest.raises(ConfigError, match="step-00000002: is of format 1, this version reads 2; go on with the version that"):
        newest(tmp_path)


def test_a_flipped_bit_is_found_by_the_checksum(tmp_path: Path) -> None:
    path = save(tmp_path, 1) / "consolidated/head.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    checkpoint = Checkpoint.open(tmp_path / "step-00000001")
    with pytest.raises(CheckpointError, match=r"head\.safetensors.*checksum"):
        checkpoint.verify("consolidated/head.safetensors")
    with pytest.raises(CheckpointError, match=r"head\.safetensors.*checksum"):
        verify_all(checkpoint)


def test_what_a_kill_left_half_written_is_no_checkpoint(tmp_path: Path) -> None:
    save(tmp_path, 1)
    (tmp_path / ".step-00000002.aside/consolidated").mkdir(parents=True)
    assert steps_in(tmp_path) == [1]
    save(tmp_path, 2)
    assert steps_in(tmp_path) == [1, 2]


def test_the_newest_and_every_nth_stay(tmp_path: Path) -> None:
    for step in range(1, 8):
        save(tmp_path, step)
    prune(tmp_path, keep=2, keep_every=3, upto=7)
    assert steps_in(tmp_path) == [3, 6, 7]


def test_a_later_checkpoint_neither_counts_nor_goes(tmp_path: Path) -> None:
    """A run that is to end at step 16 saves 16 where one that was to go on has left 24."""
    for step in (8, 16, 24):
        save(tmp_path, step)
    prune(tmp_path, keep=1, keep_every=0, upto=16)
    assert steps_in(tmp_path) == [16, 24]


def test_damaged_checkpoints_keep_no_whole_one_from_its_place(tmp_path: Path) -> None:
    """24 and 32 are damaged, the run goes on from 8: until 24 is trained over, it is there under a name that says so."""
    for step in (8, 24, 32, 40):
        save(tmp_path, step)
    set_aside(tmp_path, after=8, upto=32)
    assert steps_in(tmp_path) == [8, 40] and (tmp_path / "step-00000024.damaged/state.json").exists()
    save(tmp_path, 16)
    prune(tmp_path, keep=1, keep_every=0, upto=16)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "step-00000016", "step-00000024.damaged", "step-00000032.damaged", "step-00000040",
    ]  # fmt: skip
    save(tmp_path, 24)
    prune(tmp_path, keep=1, keep_every=0, upto=24)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-00000024", "step-00000032.damaged", "step-00000040"]


def test_a_file_that_cannot_be_read_is_damage(tmp_path: Path) -> None:
    path = save(tmp_path, 1)
    checkpoint = Checkpoint.open(path)
    (path / "consolidated/norm.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"norm\.safetensors: cannot be read"):
        verify_all(checkpoint)


def test_names_are_on_the_disk_before_and_after_the_rename(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it a power cut may leave the name of a checkpoint whose files were never listed, or take the name away."""
    done: list[str] = []
    fsync, rename = os.fsync, os.rename

    def synced(descriptor: int) -> None:
        fsync(descriptor)
        done.append(os.path.relpath(os.readlink(f"/proc/self/fd/{descriptor}"), tmp_path))

    def renamed(source: Path, target: Path) -> None:
        rename(source, target)
        done.append("renamed")

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "rename", renamed)
    save(tmp_path, 1)
    aside = ".step-00000001.aside"
    assert done[-5:] == [f"{aside}/state.json", f"{aside}/consolidated", aside, "renamed", "."]
    assert f"{aside}/consolidated/head.safetensors" in done[:-5]
