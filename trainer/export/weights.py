"""Sharded safetensors, one tensor at a time: a 52B model is written with the memory of one file."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from safetensors.torch import save_file
from torch import Tensor

from core import storage
from trainer.export.forms import Piece

INDEX = "model.safetensors.index.json"


def plan_files(pieces: Iterable[tuple[str, int]], limit: int) -> list[list[str]]:
    """Names of tensors by file: filled in order up to `limit` bytes; a tensor above it has a file of its own.

    `pieces` are (name, bytes).
    """
    files: list[list[str]] = []
    room = 0
    for name, size in pieces:
        if not files or size > room:
            files.append([])
            room = limit
        files[-1].append(name)
        room -= size
    return files


def write_weights(
    folder: str,
    pieces: list[Piece],
    sizes: dict[str, int],
    read: Callable[[str], Tensor],
    dtype: torch.dtype,
    limit: int,
    wrote: Callable[[int], None] = lambda tensors: None,
) -> list[str]:
    """Writes the tensors below `folder` and the index that names their files; returns the file names.

    `sizes` is the number of elements of each piece by its name; `read` gives a canonical tensor; `wrote` hears how many
    tensors a finished file holds.
    """
    width = torch.empty(0, dtype=dtype).element_size()
    by_name = {piece.name: piece for piece in pieces}
    files = plan_files(((piece.name, sizes[piece.name] * width) for piece in pieces), limit)
    names = [_file_name(index, len(files)) for index in range(len(files))]
    for file_name, members in zip(names, files, strict=True):
        held = {name: _tensor(read(by_name[name].source), by_name[name].factor, dtype) for name in members}
        with storage.aside(storage.join(folder, file_name)) as path:
            save_file(held, path, metadata={"format": "pt"})
        wrote(len(members))
    if len(files) > 1:
        total = sum(sizes.values()) * width
        where = {name: file_name for file_name, members in zip(names, files, strict=True) for name in members}
        storage.write_json(storage.join(folder, INDEX), {"metadata": {"total_size": total}, "weight_map": where})
    return names


def _tensor(source: Tensor, factor: float, dtype: torch.dtype) -> Tensor:
    """Multiplied in fp32, rounded once."""
    scaled = source.float() * factor if factor != 1.0 else source
    return scaled.to(dtype).contiguous()


def _file_name(index: int, of: int) -> str:
    return "model.safetensors" if of == 1 else f"model-{index + 1:05d}-of-{of:05d}.safetensors"
