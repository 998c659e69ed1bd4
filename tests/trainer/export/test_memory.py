"""Export, its check and import hold a few layers of a model, however many it has."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from core.run import Run
from tests.trainer.small_run import settings, write_run
from trainer.config import TrainConfig
from trainer.export.bring_in import bring_in
from trainer.export.config import ExportConfig
from trainer.export.stage import export

WIDE: dict[str, Any] = dict(layers=12, hidden=512, heads=8, ffn=2048)
LAYER = 4 * (4 * 512**2 + 3 * 512 * 2048 + 2 * 512)
"""Bytes of a layer in fp32: a twelfth of the model, save for its small vocabulary."""


def exporting(config: TrainConfig) -> None:
    export(config, Run(config.run))


def importing(config: TrainConfig) -> None:
    bring_in(config, str(Path(config.run).parent / "a" / "export"))


def _in_a_process(channel: Connection, work: Callable[[TrainConfig], None], configs: list[TrainConfig]) -> None:
    for config in configs:  # the first warms up: what libraries load once is not the model's
        channel.send("ready")
        channel.recv()
        work(config)
        channel.send("done")


def growth_in_bytes(work: Callable[[TrainConfig], None], configs: list[TrainConfig]) -> int:
    """By how much the private memory of a process (mapped files apart) rises at most while it does the last of `configs`."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_in_a_process, args=(there, work, configs))
    process.start()
    there.close()
    for _ in configs:
        assert here.recv() == "ready"
        before = peak = _private(process.pid)
        here.send("go")
        while not here.poll():
            peak = max(peak, _private(process.pid))
            time.sleep(0.0005)
        assert here.recv() == "done"
    process.join()
    return peak - before


def _private(process: int | None) -> int:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("RssAnon:"))


@pytest.mark.slow
@pytest.mark.parametrize("form", ["granite", "llama"])
def test_a_model_of_many_layers_goes_out_and_in_in_the_memory_of_a_few(tmp_path: Path, form: Any) -> None:
    asked = ExportConfig(form=form, file_gigabytes=LAYER / 1e9)
    configs = []
    for name, shape in (("small", {}), ("wide", WIDE)):
        configs.append(replace(write_run(tmp_path / name / "a", **shape), export=asked))
    going_out = growth_in_bytes(exporting, configs)
    nexts = []
    for name, shape in (("small", {}), ("wide", WIDE)):
        (tmp_path / name / "b").mkdir()
        for stage in ("encode", "train_tokenizer"):
            (tmp_path / name / "b" / stage).symlink_to(tmp_path / name / "a" / stage)
        nexts.append(settings(tmp_path / name / "b", **shape))
    coming_in = growth_in_bytes(importing, nexts)
    print(f"{form}: export {going_out / LAYER:.2f} layers, import {coming_in / LAYER:.2f}, of {WIDE['layers']}")
    assert going_out < 2 * LAYER  # a file of weights, here of a layer's size; then a matrix of the check
    assert coming_in < 5 * LAYER  # a layer with its two moments, and what the allocator has not given back yet
