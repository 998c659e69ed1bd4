"""The entries of transfer, grow and plan, called as `make` calls them."""

from __future__ import annotations

import runpy
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import yaml

from core.config import load, plain
from core.line import foreign
from tests.trainer.growth.test_tensors import SMALL, trained
from tests.trainer.tokens import write_encoded
from tests.trainer.worlds import ROOT
from trainer.checkpoint import Checkpoint
from trainer.config import TrainConfig
from trainer.data import Blend, TokenData
from trainer.growth.grow import choose


def job(name: str, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "argv", [f"jobs/{name}.py", *arguments])
    runpy.run_path(str(ROOT / f"jobs/{name}.py"), run_name="__main__")


def test_transfer_prints_the_config_that_pretrain_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    job("transfer", monkeypatch, "--config", "configs/search/small.yaml", f"run={tmp_path}", "model.output_mult=3.0")
    path = capsys.readouterr().out.strip()
    made = load(path, [], TrainConfig, foreign("trainer"))
    assert (made.model.hidden, made.model.base_hidden, made.model.output_mult) == (256, 64, 3.0)


def test_plan_counts_a_path_of_growth(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    job("plan", monkeypatch, "--config", "configs/growth/small.yaml")
    said = capsys.readouterr().out
    assert "small-1" in said and "small-3 from scratch" in said and "growth saves" in said


@torch.no_grad()
def test_grow_writes_the_checkpoint_that_a_run_goes_on_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    small = tmp_path / "small"
    write_encoded(small)
    mix = Blend(TokenData.read(str(small / "encode")), SMALL.context, 1).hash
    trained(small / "pretrain/checkpoints", mix=mix, seed=1)
    model = {**plain(SMALL), "layers": 3, "hidden": 48, "heads": 6, "ffn": 80}
    tree = {"seed": 1, "model": model, "parallel": {"micro_batch": 8}, "pretrain": {"batch": 8}}
    (tmp_path / "grown.yaml").write_text(yaml.safe_dump(tree), encoding="utf-8")
    seeds = {}
    for number in (1, 2):
        run, arguments = tmp_path / f"grown-{number}", ("--config", str(tmp_path / "grown.yaml"))
        job("grow", monkeypatch, *arguments, f"run={run}", f"grow.source={small}", f"model.init_seed={number}")
        seeds[number] = Checkpoint.open(run / "pretrain/checkpoints/step-00000007")
    assert "hidden 32 -> 48, heads 4 -> 6, ffn 48 -> 80, layers 2 -> 3" in capsys.readouterr().err
    one, other = (seeds[number].tensor("head.weight") for number in (1, 2))
    assert torch.equal(one[:, :32], other[:, :32]) and not torch.equal(one[:, 32:], other[:, 32:])  # init_seed draws the new
    assert seeds[1].state["adam_step"] == 7 and seeds[1].state["sequences"] == 56
    with pytest.raises(SystemExit):
        job("grow", monkeypatch, *arguments, f"run={tmp_path / 'next'}", f"grow.source={small}", "pretrain.steps=5")
    assert "error: pretrain.steps = 5: the source has made 7 already" in capsys.readouterr().err
    for given, said in (
        ("seed=2", "set seed=1 as before or set pretrain.allow_new_mix=true"),
        ("grow.checkpoint=step-00000300", "step-00000300"),
        (f"grow.source={tmp_path / 'nowhere'}", "holds no whole checkpoint"),
    ):
        run = tmp_path / given.replace("/", "-")
        with pytest.raises(SystemExit):
            job("grow", monkeypatch, *arguments, f"run={run}", f"grow.source={small}", given)
        assert "error: " in (error := capsys.readouterr().err) and said in error
        assert not (run / "pretrain/checkpoints").exists(), "nothing is written that could not be gone on from"
    job(
        "grow",
        monkeypatch,
        *arguments,
        f"run={tmp_path / 'meant'}",
        f"grow.source={small}",
        "seed=2",
        "pretrain.allow_new_mix=true",
    )


def test_distances_are_measured_on_what_training_reads_next_though_the_mix_was_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_encoded(tmp_path)
    read, data = {"WebText": 6, "Code": 50}, TokenData.read(str(tmp_path / "encode"))
    checkpoint = trained(tmp_path / "checkpoints", read=read)
    measured: list[torch.Tensor] = []

    def distances(checkpoint: Checkpoint, tokens: torch.Tensor, numbers: torch.Tensor | None) -> list[float]:
        measured.append(tokens)
        return [0.0] * SMALL.layers

    monkeypatch.setattr("trainer.growth.grow.distances", distances)
    choose(TrainConfig(seed=1), checkpoint, replace(SMALL, layers=3), data)
    blend = Blend(data, SMALL.context, 1)
    (tokens,) = measured
    assert not torch.equal(tokens.t(), torch.from_numpy(blend.sequences(56, tokens.shape[1])[0][:, :-1]))
    blend.go_on(56, read)
    assert torch.equal(tokens.t(), torch.from_numpy(blend.sequences(56, tokens.shape[1])[0][:, :-1]))
