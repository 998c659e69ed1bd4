"""The plan of a path of growth."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
import yaml

from core.config import ConfigError, load
from core.line import foreign
from tests.trainer.growth.test_tensors import IDS, grown
from tests.trainer.worlds import ROOT
from trainer import plan
from trainer.config import TrainConfig
from trainer.config.grow import GrowthStage
from trainer.growth.masks import mask_network
from trainer.growth.path import from_scratch, legs, lines, saving
from trainer.model.mup import init_std, logit_scale, peak_lr


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def path_of(name: str) -> list[GrowthStage]:
    return load(ROOT / f"configs/growth/{name}.yaml", [], TrainConfig, foreign("trainer")).grow.path


def test_the_reports_path_from_52b_to_1t() -> None:
    path = legs(path_of("tele-flm"))
    sizes = [plan.parameters(leg.config.model) for leg in path]
    assert sizes[0] == 52_824_121_344  # 80,384 rows, as released
    assert sizes[1] == pytest.approx(102.2e9, rel=1e-3) and sizes[2] == pytest.approx(1083.8e9, rel=1e-3)
    assert from_scratch(path).tokens == pytest.approx(2.3157e12)
    by_hand = 1 - (2e12 * sizes[0] + 3e11 * sizes[1] + 1.57e10 * sizes[2]) / (2.3157e12 * sizes[2])
    assert saving(path) == pytest.approx(by_hand, rel=1e-12)
    assert plan.days(path[0].config) == pytest.approx(60.0, abs=0.1)
    text = "\n".join(lines(path))
    assert "52,824,121,344" in text and f"{by_hand:.1%}" in text and "60.1" in text


@torch.no_grad()
def test_each_step_of_the_reports_path_keeps_the_function(tmp_path: Path) -> None:
    """The three networks, 256 times as narrow, with the multipliers and base widths of their configs. Public: logits x 0.5 / 16
    in the 52B, x 2.0 / 80 in the 1T, which are 1/32 and 1/40; between them the 102B's 0.5 / 20."""
    models = [leg.config.model for leg in legs(path_of("tele-flm"))]
    assert [logit_scale(model) for model in models] == [1 / 32, 1 / 40, 1 / 40]
    assert (models[2].output_mult, models[2].width_ratio) == (2.0, 80.0)
    optimizers = [leg.config.pretrain.optimizer for leg in legs(path_of("tele-flm"))]
    rates = [peak_lr("matrix-like", *pair) for pair in zip(models, optimizers, strict=True)]
    assert rates == pytest.approx([2.4e-3 / 16, 2.4e-3 / 20, 2.4e-3 / 40])  # one rule from the proxy to the 1T
    stds = [init_std("layers.0.attention.qkv.q", model) for model in models]
    assert stds == pytest.approx([1.69706e-2 / m**0.5 for m in (16, 20, 40)], rel=1e-5)
    narrow = [
        replace(
            model, layers=layers, hidden=model.hidden // 256, heads=model.hidden // 2048, ffn=model.ffn // 256, vocab=60,
            vocab_multiple=16, context=16, base_hidden=(model.base_hidden or 0) // 256,
        )
        for model, layers in zip(models, (2, 3, 4), strict=True)
    ]  # fmt: skip
    for small, large, factor in ((narrow[0], narrow[1], 1.25), (narrow[1], narrow[2], 1.0)):
        checkpoint, before, after, made = grown(tmp_path / str(small.hidden), large, "stack", small)
        mask_network(after, made, large, 0.0)
        assert (after(IDS) - before(IDS)).abs().max() <= 1e-12
        head = checkpoint.tensor("head.weight").double() * factor
        assert torch.allclose(after.head.weight[:, : small.hidden], head, rtol=1e-12)


def test_flm_101bs_stages_save_what_its_report_says(tmp_path: Path) -> None:
    """Models of about 16B, 51B and 101B for 245.37, 39.64 and 26.54 billion tokens: 21.5 days, not 76.7."""
    stages = []
    for name, hidden, layers, tokens in (("16b", 4608, 60, 245.37e9), ("51b", 8192, 60, 39.64e9), ("101b", 10240, 80, 26.54e9)):
        model = {"layers": layers, "hidden": hidden, "heads": hidden // 128, "ffn": round(8 / 3 * hidden), "vocab": 100_000}
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump({"model": model}), encoding="utf-8")
        stages.append(GrowthStage(str(tmp_path / f"{name}.yaml"), tokens))
    path = legs(stages)
    assert [round(plan.parameters(leg.config.model) / 1e9) for leg in path] == [16, 50, 103]
    assert 1 - saving(path) == pytest.approx(21.5 / 76.7, rel=0.05)


def test_the_small_twins_path_takes_the_vocabulary_it_is_given() -> None:
    path = legs(path_of("small"), vocab=8192)
    assert [plan.parameters(leg.config.model) < 2e7 for leg in path] == [True] * 3 and 0 < saving(path) < 1


def test_a_path_that_shrinks_is_refused() -> None:
    small = [GrowthStage("configs/growth/small-2.yaml", 1e6), GrowthStage("configs/growth/small-1.yaml", 1e6)]
    with pytest.raises(ConfigError, match=r"small-2\.yaml: model\.vocab is not set"):
        legs(small)
    stages = path_of("tele-flm")
    with pytest.raises(ConfigError, match="tele-flm-102b cannot grow into tele-flm-52b: model.layers = 64 is smaller"):
        legs([stages[1], stages[0]])
