"""The tensors of a Hugging Face directory, read one at a time: safetensors or torch's .bin files, whole or in shards."""

from __future__ import annotations

import json
import pickle
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor

from core.config import ConfigError
from trainer.export.weights import INDEX

SINGLE = "model.safetensors"
BIN_INDEX, BIN_SINGLE = "pytorch_model.bin.index.json", "pytorch_model.bin"


class Stored:
    """`files` is the file of each tensor by the tensor's name; where a directory has both kinds, safetensors are read."""

    def __init__(self, folder: str | Path) -> None:
        """Reads the names alone. Raises ConfigError where there are no weights, or not all the files that the index names."""
        self.folder = Path(folder)
        self._bin: tuple[str, Mapping[str, Tensor]] = ("", {})
        self.files = self._listed()
        absent = sorted({file for file in self.files.values() if not (self.folder / file).exists()})
        if absent:
            raise ConfigError(f"{self.folder / absent[0]}: is missing, the index names it; {len(absent)} such in all.")

    def tensor(self, name: str) -> Tensor:
        """A tensor as it is stored. Of a .bin file only the pages that are asked for are read."""
        file = self.files[name]
        if not file.endswith(".safetensors"):
            return self._pickled(file)[name]
        with safe_open(self.folder / file, framework="pt") as handle:
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

    def _names(self, single: str) -> list[str]:
        if single == BIN_SINGLE:
            return list(self._pickled(single))
        with safe_open(self.folder / single, framework="pt") as handle:
            return list(handle.keys())

    def _pickled(self, file: str) -> Mapping[str, Tensor]:
        """The tensors of a .bin file, mapped and not loaded; the last file stays open, for tensors come in their order."""
        if self._bin[0] != file:
            try:
                held = torch.load(self.folder / file, map_location="cpu", mmap=True, weights_only=True)
            except (RuntimeError, pickle.UnpicklingError) as error:
                raise ConfigError(
                    f"{self.folder / file}: cannot be read as tensors alone ({str(error).splitlines()[0]}); convert it with "
                    "transformers' save_pretrained."
                ) from error
            self._bin = (file, held)
        return self._bin[1]
