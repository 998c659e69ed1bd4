"""A network that the GPU cannot hold is refused in a sentence, before its weights are read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from core.config import ConfigError
from core.run import Run
from tests.trainer.evaluate.benchmarks.small_sets import write_sets
from tests.trainer.small_run import write_run
from trainer.checkpoint import Checkpoint
from trainer.config import TrainConfig
from trainer.evaluate import beside, directory, stage
from trainer.evaluate.benchmarks import follow as following
from trainer.evaluate.benchmarks.config import BenchmarkConfig, FollowConfig
from trainer.evaluate.benchmarks.stage import benchmark
from trainer.evaluate.config import BesideConfig, EvaluateConfig
from trainer.evaluate.load import load_network
from trainer.evaluate.place import Place
from trainer.export.stage import export
from trainer.plan import parameters

CPU = EvaluateConfig(device="cpu")
WAYS: dict[str, tuple[str, EvaluateConfig, Callable[[TrainConfig], object]]] = {
    "evaluate": ("evaluate", EvaluateConfig(), lambda config: stage.measured(config, Run(config.run))),
    "beside": (
        "evaluate",
        EvaluateConfig(ends=False, beside={"other": BesideConfig(path="export")}),
        lambda config: stage.measured(config, Run(config.run)),
    ),
    "benchmark": ("benchmark", CPU, benchmark),
    "follow": ("benchmark", CPU, lambda config: following.follow(config, lambda: True)),
}


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Makes torch say that there is a GPU with so many bytes free."""

    def has(free: int) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (free, 80_000_000))

    return has


@pytest.mark.parametrize("way", WAYS)
def test_a_network_that_is_larger_than_the_gpu_is_refused_before_its_weights_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gpu: Callable[[int], None], way: str
) -> None:
    section, evaluate, work = WAYS[way]
    config = write_run(tmp_path / "run", context=96)
    export(config, Run(config.run))
    models = {name: BesideConfig(path=f"{config.run}/export") for name in evaluate.beside}
    asked = BenchmarkConfig(
        folder=str(write_sets(tmp_path / "sets")), names=["c3"], limit=1, follow=FollowConfig(names=["c3"], limit=1)
    )
    config = replace(config, evaluate=replace(evaluate, beside=models), benchmark=asked)
    read: list[object] = []
    monkeypatch.setattr(directory, "load", lambda *given: read.append(given))
    monkeypatch.setattr(following, "in_memory", read.append)
    if way != "follow":
        monkeypatch.setattr(stage, "load_network", lambda *given: read.append(given))
    count = parameters(Checkpoint.open(tmp_path / "run/pretrain/checkpoints/step-00000020").model)
    gpu(2 * count)
    said = (
        rf"{count:,} parameters in fp32 take .* GB, the GPU has .* GB free.* use {section}.precision=bf16 .* or {section}.dev"
    )
    with pytest.raises(ConfigError, match=said):
        work(config)
    assert not read


def test_the_sentence_names_what_would_fit(gpu: Callable[[int], None]) -> None:
    gpu(1000)
    place = Place.of("evaluate", EvaluateConfig())
    assert (place.device.type, place.dtype) == ("cuda", torch.float32)
    place.check(250, "it fits")
    with pytest.raises(ConfigError, match=r"evaluate\.precision=bf16 \(0\.0 GB\) or evaluate\.device=cpu\."):
        place.check(500, "x")
    with pytest.raises(ConfigError, match=r"on one device; use evaluate\.device=cpu\."):
        place.check(501, "x")
    Place.of("benchmark", BenchmarkConfig(precision="bf16")).check(500, "it fits")
    Place.of("benchmark", BenchmarkConfig(device="cpu")).check(10**15, "the host's memory is the system's")


def test_a_device_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ConfigError, match=r"benchmark\.device = cuda: this machine has no CUDA device"):
        Place.of("benchmark", BenchmarkConfig(device="cuda"))
    assert Place.of("evaluate", EvaluateConfig()).device.type == "cpu"


def test_parameters_are_counted_as_they_are(tmp_path: Path) -> None:
    config = write_run(tmp_path)
    export(config, Run(config.run))
    checkpoint = Checkpoint.open(tmp_path / "pretrain/checkpoints/step-00000020")
    there = sum(one.numel() for one in load_network(checkpoint).parameters())
    shell = directory.look(f"{config.run}/export", "there")[0]
    assert there == parameters(checkpoint.model) == directory.parameters(shell)
    shell.config.quantization_config = {"bits": 4}
    assert directory.parameters(shell) == 0
    beside.check({"again": BesideConfig(path=f"{config.run}/export")}, Place.of("evaluate", CPU))
