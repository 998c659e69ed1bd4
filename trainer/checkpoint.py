"""The consolidated checkpoint: one form for every layout, which resuming, resharding, growth, evaluation and export read.

    checkpoints/step-00000200/
      state.json                       step, sequences and tokens done, model, mix, size and checksum of every file, its own
      consolidated/embedding.safetensors, layers.0.safetensors, ..., norm.safetensors, head.safetensors

Each file holds, for every parameter of its part of the network, the whole fp32 tensor under its canonical name and Adam's
two moments under NAME.exp_avg and NAME.exp_avg_sq. A checkpoint is written under another name and renamed: one that
carries its own name is whole, unless its medium damaged it, which sizes and checksums show.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from core.config import ConfigError, build, plain
from trainer.config import ModelConfig

FORMAT = 2
MOMENTS = ("exp_avg", "exp_avg_sq")
_NAME = re.compile(r"^step-(\d{8,})$")
_DAMAGED = ".damaged"
_HEAD_OF_NAME = re.compile(r"^layers\.\d+|^[^.]+")


class CheckpointError(RuntimeError):
    """A checkpoint that cannot be used; the message names the file and what is wrong with it."""


def file_of(name: str) -> str:
    """The file that holds a parameter, by its canonical name."""
    match = _HEAD_OF_NAME.match(name)
    if match is None:
        raise ValueError(f"'{name}' is not a canonical parameter name")
    return f"consolidated/{match.group()}.safetensors"


def folder_name(step: int) -> str:
    return f"step-{step:08d}"


@dataclass(frozen=True)
class Checkpoint:
    """A whole checkpoint, read tensor by tensor: nothing is loaded before it is asked for."""

    path: Path
    state: Mapping[str, Any]

    @classmethod
    def open(cls, path: str | Path) -> Checkpoint:
        """Reads state.json, compares it with its checksum and the size of every file with it.

        Raises CheckpointError; of another version's checkpoint ConfigError, for it is not to be passed over as damaged.
        """
        path = Path(path)
        try:
            state = json.loads((path / "state.json").read_text(encoding="utf-8"))
            files = dict(state["files"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CheckpointError(f"{path}/state.json: cannot be read ({error}); the checkpoint is not whole.") from error
        known = state.get("format") == FORMAT
        if (known or "sha256" in state) and state.get("sha256") != _checksum_of(state):
            raise CheckpointError(f"{path}/state.json: its contents are not what was written (checksum).")
        if not known:
            raise ConfigError(
                f"{path}: is of format {state.get('format')}, this version reads {FORMAT}; go on with the version that wrote "
                "it, or begin a new run."
            )
        for name, facts in files.items():
            size = (path / name).stat().st_size if (path / name).exists() else None
            if size != facts["bytes"]:
                found = "is missing" if size is None else f"has {size:,} bytes"
                raise CheckpointError(f"{path / name}: {found}, {facts['bytes']:,} were written.")
        return cls(path, state)

    def verify(self, name: str) -> None:
        """Compares a file with its checksum. Raises CheckpointError."""
        try:
            found = checksum(self.path / name)
        except OSError as error:
            raise CheckpointError(f"{self.path / name}: cannot be read ({error}).") from error
        if found != self.state["files"][name]["sha256"]:
            raise CheckpointError(f"{self.path / name}: its contents are not what was written (checksum).")

    @property
    def step(self) -> int:
        return int(self.state["step"])

    @property
    def files(self) -> list[str]:
        return list(self.state["files"])

    @property
    def model(self) -> ModelConfig:
        """The network's settings, vocabulary included."""
        return build(ModelConfig, self.state["model"], "model", str(self.path))

    def names(self) -> list[str]:
        """Canonical names of all parameters."""
        moments = tuple(f".{moment}" for moment in MOMENTS)
        return [name for file in self.files for name in self.shapes(file) if not name.endswith(moments)]

    def tensor(self, name: str) -> Tensor:
        """A whole fp32 tensor by canonical name; `NAME.exp_avg` and `NAME.exp_avg_sq` are its moments."""
        with safe_open(self.path / file_of(name), framework="pt") as handle:
            tensor: Tensor = handle.get_tensor(name)
            return tensor

    def shapes(self, file: str) -> dict[str, list[int]]:
        """Shapes of the tensors of a file, by name; of one that the checkpoint has not, none."""
        if file not in self.files:
            return {}
        with safe_open(self.path / file, framework="pt") as handle:
            return {name: handle.get_slice(name).get_shape() for name in handle.keys()}

    def elements(self, name: str, dim: int | None, rank: int, size: int, start: int, count: int) -> Tensor:
        """Elements `start` to `start` + `count` of the rank-th of `size` equal parts of a tensor along `dim` (None: of all of
        it), flat [count]; only the rows that they lie in are read."""
        with safe_open(self.path / file_of(name), framework="pt") as handle:
            whole = handle.get_slice(name)
            shape = list(whole.get_shape())
            if dim is not None:
                shape[dim] //= size
            width = math.prod(shape[1:])
            first, last = start // width, -(-(start + count) // width)
            above = rank * shape[0] if dim == 0 else 0
            rows = slice(above + first, above + last)
            part: Tensor = whole[rows, rank * shape[1] : (rank + 1) * shape[1]] if dim == 1 else whole[rows]
            return part.flatten()[start - first * width :][:count]

    def weights(self) -> dict[str, Tensor]:
        """All fp32 weights by canonical name: for models that fit into memory."""
        return {name: self.tensor(name) for name in self.names()}


def checksum(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _checksum_of(state: Mapping[str, Any]) -> str:
    """Of all that state.json says save this sum itself, in whatever order."""
    rest = {name: value for name, value in state.items() if name != "sha256"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def _to_disk(path: Path) -> None:
    """Has the system write out a file, or which names a folder holds."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def steps_in(folder: str | Path) -> list[int]:
    """Steps of the checkpoints in a folder, ascending."""
    folder = Path(folder)
    names = os.listdir(folder) if folder.is_dir() else []
    return sorted(int(match.group(1)) for match in map(_NAME.match, names) if match)


def kept_in(folder: str | Path) -> list[str]:
    """Names of all checkpoints in a folder, those that were set aside as damaged included."""
    folder = Path(folder)
    names = os.listdir(folder) if folder.is_dir() else []
    return sorted(name for name in names if _NAME.match(name.removesuffix(_DAMAGED)))


def newest(folder: str | Path, at_most: int | None = None, damaged: Callable[[str], None] = print) -> Checkpoint | None:
    """The newest whole checkpoint of a folder, at most at a step; each that is not whole is named to `damaged`."""
    for step in reversed(steps_in(folder)):
        if at_most is not None and step > at_most:
            continue
        try:
            return Checkpoint.open(Path(folder) / folder_name(step))
        except CheckpointError as error:
            damaged(f"{error} It is passed over.")
    return None


class Writer:
    """Writes one checkpoint aside, part by part from whichever rank holds it; `commit` gives it its name."""

    def __init__(self, folder: str | Path, step: int) -> None:
        self.final = Path(folder) / folder_name(step)
        self.aside = Path(folder) / f".{folder_name(step)}.aside"

    def prepare(self) -> None:
        """By one rank, before any writes; what a killed run left is removed."""
        shutil.rmtree(self.aside, ignore_errors=True)
        (self.aside / "consolidated").mkdir(parents=True)

    def write(self, file: str, tensors: Mapping[str, Tensor]) -> dict[str, Any]:
        """One part of the network; returns the facts of its file."""
        path = self.aside / file
        save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path)
        _to_disk(path)
        return {"bytes": path.stat().st_size, "sha256": checksum(path)}

    def commit(self, state: Mapping[str, Any], files: Mapping[str, Any]) -> Path:
        """By one rank, when all parts are written."""
        whole = {"format": FORMAT, **plain(state), "files": dict(sorted(files.items()))}
        whole["sha256"] = _checksum_of(json.loads(json.dumps(whole)))  # as it will be read: JSON has names and lists alone
        with (self.aside / "state.json").open("w", encoding="utf-8") as handle:
            json.dump(whole, handle, indent=1)
            handle.flush()
            os.fsync(handle.fileno())
        for folder in (self.aside / "consolidated", self.aside):
            _to_disk(folder)
        shutil.rmtree(self.final, ignore_errors=True)  # one of the same step is replaced
        os.rename(self.aside, self.final)
        _to_disk(self.final.parent)
        return self.final


def set_aside(folder: str | Path, after: int, upto: int) -> None:
    """Gives checkpoints of steps `after` < step <= `upto`, which a resume found damaged and passed over, the name
    step-NNNNNNNN.damaged: nothing takes them for checkpoints any more. They stay until `prune` finds them trained over."""
    for step in steps_in(folder):
        if after < step <= upto:
            there = Path(folder) / folder_name(step)
            shutil.rmtree(named := there.with_suffix(_DAMAGED), ignore_errors=True)
            os.rename(there, named)


def prune(folder: str | Path, keep: int, keep_every: int, upto: int) -> None:
    """Removes, after step `upto` was saved, all but the newest `keep` checkpoints and those at multiples of `keep_every`.

    Later steps neither count nor go: a run that is to end earlier than one before it leaves those. Damaged ones that were set
    aside go when they are trained over.
    """
    folder = Path(folder)
    for step in [step for step in steps_in(folder) if step <= upto][:-keep]:
        if not keep_every or step % keep_every:
            shutil.rmtree(folder / folder_name(step))
    for damaged in folder.glob(f"*{_DAMAGED}"):
        match = _NAME.match(damaged.stem)
        if match is not None and int(match.group(1)) <= upto:
            shutil.rmtree(damaged)


def consolidate(folder: str | Path, step: int, state: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Path:
    """Writes a checkpoint from whole tensors in one process: after growth, or in tests. Missing moments are zeros."""
    writer = Writer(folder, step)
    writer.prepare()
    parts: dict[str, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        if name.endswith(tuple(f".{moment}" for moment in MOMENTS)):
            continue
        held = parts.setdefault(file_of(name), {})
        held[name] = tensor.float()
        for moment in MOMENTS:
            held[f"{name}.{moment}"] = tensors.get(f"{name}.{moment}", torch.zeros_like(held[name]))
    return writer.commit({"step": step, **state}, {file: writer.write(file, held) for file, held in parts.items()})
