"""The tensors of a Hugging Face directory, read one at a time: safetensors or torch's .bin files, whole or in shards."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from core.config import ConfigError
from trainer.export.weights import INDEX

SINGLE = "model.safetensors"
BIN_INDEX, BIN_SINGLE = "pytorch_model.bin.index.json", "pytorch_model.bin"


class Stored:
    """`files` is the file of each tensor by the tensor's name; where a directory has both kinds, safetensors are read."""

    def __init__(self, folder: str | Path) -> None:
        """Reads the names alone. Raises ConfigError where there are no weights, or where what the index names is not there
        or cannot be read: a directory that was not fetched whole is found before anything is made of it."""
        self.folder = Path(folder)
        self._bin: tuple[str, Mapping[str, Tensor]] = ("", {})
        self.files = self._listed()
        absent = sorted({file for file in self.files.values() if not (self.folder / file).exists()})
        if absent:
            raise ConfigError(f"{self.folder / absent[0]}: is missing, the index names it; {len(absent)} such in all.")
        for file in sorted(set(self.files.values())):
            names = set(self._names(file))
            if lacking := [name for name, where in self.files.items() if where == file and name not in names]:
                raise ConfigError(f"{self.folder / file}: has no {lacking[0]}, which the index places there; fetch both again.")

    def tensor(self, name: str) -> Tensor:
        """A tensor as it is stored. Of a .bin file only the pages that are asked for are read."""
        file = self.files[name]
        if not file.endswith(".safetensors"):
            return self._pickled(file)[name]
        with self._opened(file) as handle:
            tensor: Tensor = handle.get_tensor(name)
            return tensor

    def _listed(self) -> dict[str, str]:
        for index, single in ((INDEX, SINGLE), (BIN_INDEX, BIN_SINGLE)):
            if (self.folder / index).exists():
                return dict(json.loads((self.folder / index).read_text(encoding="utf-8"))["weight_map"])
            if (self.folder / single).exists():
                return dict.fromkeys(self._names(single), single)
        raise ConfigError(
            f"{self.folder}: holds no weights: none of {SINGLE}, {INDEX}, {BIN_SINGLE} and {BIN_INDEX}; convert other "
            "formats with transformers' save_pretrained first."
        )

    def _names(self, file: str) -> list[str]:
        if not file.endswith(".safetensors"):
            return list(self._pickled(file))
        with self._opened(file) as handle:
            return list(handle.keys())

    @contextmanager
    def _opened(self, file: str) -> Iterator[Any]:
        try:
            with safe_open(self.folder / file, framework="pt") as handle:
                yield handle
        except SafetensorError as error:
            raise ConfigError(
                f"{self.folder / file}: cannot be read ({error}); it was not fetched whole, fetch it again (git lfs pull)."
            ) from error

    def _pickled(self, file: str) -> Mapping[str, Tensor]:
        """The tensors of a .bin file, mapped and not loaded; the last file stays open, for tensors come in their order."""
        if self._bin[0] != file:
            try:
                held = torch.load(self.folder / file, map_location="cpu", mmap=True, weights_only=True)
            except (RuntimeError, OSError, pickle.UnpicklingError) as error:
                raise ConfigError(
                    f"{self.folder / file}: cannot be read as tensors alone ({str(error).splitlines()[0]}); fetch it again if "
                    "it was not fetched whole (git lfs pull), else convert it with transformers' save_pretrained."
                ) from error
            self._bin = (file, held)
        return self._bin[1]
