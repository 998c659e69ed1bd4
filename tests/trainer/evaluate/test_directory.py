"""A directory that cannot be loaded is said to be so in a sentence, whichever library finds out and however it says it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from core.config import ConfigError
from core.run import Run
from tests.trainer.small_run import write_run
from trainer.evaluate.benchmarks.config import BenchmarkConfig
from trainer.evaluate.benchmarks.stage import exported
from trainer.evaluate.beside import load as beside
from trainer.evaluate.config import BesideConfig
from trainer.evaluate.directory import look
from trainer.export import generate
from trainer.export.stage import export

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
LOADS: dict[str, Callable[[str], Any]] = {
    "beside": lambda path: beside("again", BesideConfig(path=path), torch.device("cpu"), torch.float32),
    "benchmark": lambda path: exported(path, BenchmarkConfig(device="cpu"), 1, ours=False),
    "generate": generate.exported,
    "look": lambda path: look(path, "there"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = write_run(tmp_path_factory.mktemp("model"))
    export(config, Run(config.run))
    return Path(config.run) / "export"


@pytest.mark.parametrize("by", LOADS)
@pytest.mark.parametrize("file", ["config.json", "tokenizer.json", "model.safetensors"])
def test_a_pointer_and_a_cut_download_are_said_in_a_sentence(folder: Path, by: str, file: str) -> None:
    whole = (folder / file).read_bytes()
    try:
        for damaged in (POINTER, whole[: len(whole) // 2]):
            (folder / file).write_bytes(damaged)
            with pytest.raises(ConfigError, match="transformers cannot load it: .+"):
                LOADS[by](str(folder))
    finally:
        (folder / file).write_bytes(whole)
    LOADS[by](str(folder))


def test_a_look_finds_what_a_load_does(folder: Path) -> None:
    shell, tokenizer = look(str(folder), "there")
    model = generate.exported(str(folder))[0]
    assert shell.generation_config.to_dict() == model.generation_config.to_dict()
    assert sum(one.numel() for one in shell.parameters()) == sum(one.numel() for one in model.parameters())
    assert tokenizer.eos_token_id == 2
