"""Tensors of a directory: the same from every kind of file, and what cannot be read is named."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from core import storage
from core.config import ConfigError
from trainer.export.stored import Stored

TENSORS = {name: torch.randn(3, 4, generator=torch.Generator().manual_seed(index)) for index, name in enumerate("abc")}


def sharded(folder: Path, index: str, end: str) -> None:
    where = {"a": f"x-1.{end}", "b": f"x-2.{end}", "c": f"x-1.{end}"}
    for file in set(where.values()):
        held: dict[str, Tensor] = {name: TENSORS[name].clone() for name in where if where[name] == file}
        save_file(held, folder / file) if end == "safetensors" else torch.save(held, folder / file)
    storage.write_json(str(folder / index), {"weight_map": where})


@pytest.mark.parametrize("kind", ["model.safetensors", "pytorch_model.bin"])
@pytest.mark.parametrize("whole", [True, False], ids=["whole", "sharded"])
def test_every_kind_of_file_gives_the_same_tensors(tmp_path: Path, kind: str, whole: bool) -> None:
    if not whole:
        sharded(tmp_path, f"{kind}.index.json", kind.rpartition(".")[2])
    elif kind.endswith(".bin"):
        torch.save(TENSORS, tmp_path / kind)
    else:
        save_file(TENSORS, tmp_path / kind)
    stored = Stored(tmp_path)
    assert sorted(stored.files) == sorted(TENSORS)
    for name in ("a", "b", "c", "a"):
        assert torch.equal(stored.tensor(name), TENSORS[name])


def test_a_shard_that_was_not_fetched_is_named(tmp_path: Path) -> None:
    sharded(tmp_path, "pytorch_model.bin.index.json", "bin")
    (tmp_path / "x-2.bin").unlink()
    with pytest.raises(ConfigError, match="x-2.bin: is missing, the index names it"):
        Stored(tmp_path)


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:aa\nsize 123\n"


@pytest.mark.parametrize("cut", [True, False], ids=["cut", "pointer"])
@pytest.mark.parametrize("end", ["safetensors", "bin"])
def test_a_file_that_was_not_fetched_whole_is_named_before_anything_is_read(tmp_path: Path, end: str, cut: bool) -> None:
    index = "model.safetensors.index.json" if end == "safetensors" else "pytorch_model.bin.index.json"
    sharded(tmp_path, index, end)
    file = tmp_path / f"x-2.{end}"
    file.write_bytes(file.read_bytes()[:-40] if cut else POINTER)
    with pytest.raises(ConfigError, match=rf"x-2\.{end}: cannot be read .* fetch it again .*git lfs pull"):
        Stored(tmp_path)


def test_a_single_file_that_git_lfs_did_not_fetch_is_named(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(POINTER)
    with pytest.raises(ConfigError, match=r"model\.safetensors: cannot be read \(.*header too large\); .*git lfs pull"):
        Stored(tmp_path)


@pytest.mark.parametrize("end", ["safetensors", "bin"])
def test_an_index_of_other_files_is_named(tmp_path: Path, end: str) -> None:
    index = "model.safetensors.index.json" if end == "safetensors" else "pytorch_model.bin.index.json"
    sharded(tmp_path, index, end)
    storage.write_json(str(tmp_path / index), {"weight_map": {"a": f"x-2.{end}"}})
    with pytest.raises(ConfigError, match=rf"x-2\.{end}: has no a, which the index places there"):
        Stored(tmp_path)


def test_code_in_a_bin_file_is_not_run(tmp_path: Path) -> None:
    torch.save({"a": TENSORS["a"], "b": Path}, tmp_path / "pytorch_model.bin")
    with pytest.raises(ConfigError, match="pytorch_model.bin: cannot be read as tensors alone"):
        Stored(tmp_path)


def test_a_directory_without_weights_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="holds no weights: none of model.safetensors, "):
        Stored(tmp_path)
