"""The files of a grown checkpoint: the same from any number of processes, and each written once though a growth is killed."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any

import pytest

from tests.trainer.growth.test_tensors import BIGGER, SMALL, trained
from trainer.checkpoint import Checkpoint, Writer
from trainer.growth.blocks import arrange
from trainer.growth.files import processes, verify, write
from trainer.growth.tensors import Grown

STATE = {"step": 7, "model": {}}


def growth(folder: Path, seed: int = 5) -> Grown:
    model = dataclasses.replace(SMALL, **BIGGER)
    return Grown(SMALL, model, arrange("stack", 2, 5), trained(folder).tensor, seed)


def sums(path: Path) -> dict[str, Any]:
    return dict(Checkpoint.open(path).state["files"])


@pytest.mark.slow
def test_two_processes_write_what_one_does(tmp_path: Path) -> None:
    made = growth(tmp_path / "small")
    written = {}
    for count in (1, 2):
        with processes(count) as each:
            verify(Checkpoint.open(tmp_path / "small/step-00000007"), each)
            written[count] = sums(write(Writer(tmp_path / str(count), 7), made, STATE, "a", each))
    assert written[1] == written[2] and len(written[1]) == 8


class Killed(Exception):
    """Stands for a kill: nothing in the code under test catches it."""


def test_a_growth_that_was_killed_writes_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, folder = growth(tmp_path / "small"), tmp_path / "grown"
    with processes(1) as each:
        whole = sums(write(Writer(tmp_path / "whole", 7), made, STATE, "a", each))
    written: list[str] = []
    real = Writer.write

    def counted(self: Writer, file: str, tensors: Any) -> dict[str, Any]:
        if len(written) == 3:
            (self.aside / file).write_bytes(b"half of it")
            raise Killed
        written.append(file)
        return real(self, file, tensors)

    monkeypatch.setattr(Writer, "write", counted)
    with pytest.raises(Killed), processes(1) as each:
        write(Writer(folder, 7), made, STATE, "a", each)
    first = {file: os.stat(folder / ".step-00000007.aside" / file).st_mtime_ns for file in written}
    written.append("not three any more")
    with processes(1) as each:
        path = write(Writer(folder, 7), made, STATE, "a", each)
    assert sorted(written[4:]) == sorted(set(whole) - set(first))
    assert [entry.name for entry in folder.iterdir()] == ["step-00000007"]  # nothing is left beside
    assert sorted(entry.name for entry in path.iterdir()) == ["consolidated", "state.json"]
    assert sums(path) == whole and all((path / file).stat().st_mtime_ns == time for file, time in first.items())


def test_what_another_growth_left_behind_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "grown"
    with monkeypatch.context() as patch, pytest.raises(Killed), processes(1) as each:
        patch.setattr(Writer, "commit", lambda *_: (_ for _ in ()).throw(Killed()))
        write(Writer(folder, 7), growth(tmp_path / "small"), STATE, "a", each)
    with processes(1) as each:
        found = write(Writer(folder, 7), growth(tmp_path / "small", seed=6), STATE, "b", each)
        expected = write(Writer(tmp_path / "alone", 7), growth(tmp_path / "small", seed=6), STATE, "b", each)
    assert sums(found) == sums(expected)
