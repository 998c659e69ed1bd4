"""Models beside ours: the same figures as lm-evaluation-harness has, on text that is text whatever stands in it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from benchmarks import bpb_harness
from core.config import ConfigError
from core.run import Run
from tests.trainer.small_run import write_run
from trainer.evaluate import stage
from trainer.evaluate.beside import load
from trainer.evaluate.config import BesideConfig, EvaluateConfig
from trainer.export.stage import export


def test_bits_per_byte_are_those_of_the_harnesss_own_metric(tmp_path: Path) -> None:
    config = write_run(tmp_path, context=32)  # documents of 30 to 200 tokens: one window and several
    export(config, Run(config.run))
    rows = list(bpb_harness.main(["--run", config.run]))
    assert {row["name"] for row in rows} == {"bpb-harness.Code", "bpb-harness.WebText"}
    for row in rows:
        assert row["value"] == pytest.approx(row["reference_value"], abs=1e-4) and row["value"] > 1


def test_the_benchmark_fails_where_the_two_differ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = write_run(tmp_path)
    export(config, Run(config.run))
    monkeypatch.setattr(bpb_harness, "harness_bits", lambda export, documents, start: 1.0)
    with pytest.raises(SystemExit, match="differ by more than 1e-04 bits per byte: .*Code by"):
        list(bpb_harness.main(["--run", config.run]))


def test_a_model_beside_ours_reads_control_tokens_as_text_and_begins_where_its_settings_say(tmp_path: Path) -> None:
    config = write_run(tmp_path)
    export(config, Run(config.run))
    model = load("again", BesideConfig(path=f"{config.run}/export"), torch.device("cpu"), torch.float32)
    (ids,) = model.encode(["an <s>old</s> page"])
    assert not {0, 1, 2, 3} & set(ids) and model.tokenizer.decode(ids) == "an <s>old</s> page"
    assert (model.start, model.end) == (2, 2)


POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
BROKEN = {"config.json": POINTER, "tokenizer.json": POINTER, "model.safetensors": POINTER}


@pytest.mark.parametrize(("file", "text"), [*BROKEN.items(), ("model.safetensors", None)])
def test_a_model_beside_ours_that_cannot_be_loaded_is_said_before_ours_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, text: str | None
) -> None:
    config = write_run(tmp_path)
    export(config, Run(config.run))
    broken = tmp_path / "export" / file
    if text is None:
        broken.unlink()
    else:
        broken.write_text(text, encoding="utf-8")
    monkeypatch.setattr(stage, "load_network", lambda *given: pytest.fail("ours was loaded"))
    asked = EvaluateConfig(ends=False, beside={"again": BesideConfig(path=f"{config.run}/export")})
    with pytest.raises(ConfigError, match=r"evaluate.beside.again.path = .*/export: transformers cannot load it: "):
        stage.measured(replace(config, evaluate=asked), Run(config.run))
