"""The plan of the report's own run, against what the report and its arithmetic say."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from core.config import load
from core.line import foreign
from tests.trainer.worlds import ROOT
from trainer import plan
from trainer.config import ModelConfig, ParallelConfig, TrainConfig
from trainer.model.initial import build

GIGA = 1e9


@pytest.fixture(scope="module")
def report() -> TrainConfig:
    """Tele-FLM 52B at TP4 PP2 DP112, without the padding of the vocabulary."""
    return load(ROOT / "configs/models/tele-flm-52b.yaml", ["model.vocab_multiple=128"], TrainConfig, foreign("trainer"))


def test_arithmetic_a_token(report: TrainConfig) -> None:
    assert plan.flops_per_token(report.model) / GIGA == pytest.approx(316.9, abs=0.05)
    assert plan.flops_per_token_with_attention(report.model) / GIGA == pytest.approx(338.7, abs=0.05)


def test_batch_steps_and_bubble(report: TrainConfig) -> None:
    assert report.tokens_per_step == 5_505_024 and report.accumulation == 12
    assert report.plan.tokens / report.tokens_per_step == pytest.approx(363_305, abs=1)
    assert plan.bubble(report) == pytest.approx(1 / 13)


def test_sixty_days_are_43_7_percent(report: TrainConfig) -> None:
    by_6n, with_attention = plan.utilisation(report, 60.0)
    assert by_6n == pytest.approx(0.437, abs=5e-4) and with_attention == pytest.approx(0.467, abs=5e-4)
    assert plan.days(report) == pytest.approx(60.0, abs=0.1)


def test_memory_of_one_device(report: TrainConfig) -> None:
    needs = plan.memory(report)
    assert (needs.weights + needs.gradients + needs.optimizer) / GIGA == pytest.approx(40.3, abs=0.1)
    assert needs.activations / GIGA == pytest.approx(17, abs=1)
    assert needs.logits / GIGA == pytest.approx(0.5, abs=0.02)
    assert needs.total / GIGA == pytest.approx(58, abs=1)
    own = plan.rank_parameters(report.model, report.parallel)
    assert 18 * own / GIGA == pytest.approx(118.9, abs=0.1)  # were the optimizer's states not shared


def test_the_reports_layout_is_among_those_that_fit(report: TrainConfig) -> None:
    layouts = {(layout.tensor, layout.pipeline) for layout, _ in plan.fitting(report)}
    assert (4, 2) in layouts and (1, 1) not in layouts and (2, 1) not in layouts


def test_the_fullest_stage_counts() -> None:
    model = ModelConfig(layers=5, hidden=64, heads=4, ffn=96, vocab=512, vocab_multiple=1, context=32)
    block, ends = 4 * 64 * 64 + 3 * 64 * 96, 512 * 64
    for tied in (False, True):
        shape = ModelConfig(**{**vars(model), "tied": tied})
        assert plan.rank_parameters(shape, ParallelConfig()) == plan.parameters(shape)
        layout = ParallelConfig(tensor=2, pipeline=3)  # 2, 2 and 1 blocks
        assert plan.rank_parameters(shape, layout) == (2 * block + ends) / 2 + 5 * 64


def test_the_lines_name_every_figure(report: TrainConfig) -> None:
    text = "\n".join(plan.lines(report))
    assert "52,817,829,888" in text and "7.69%" in text and "60.0 days" in text


@pytest.mark.parametrize("shape", [{}, {"kv_heads": 2}, {"ffn": 512}])
def test_a_block_keeps_what_autograd_keeps_of_it(shape: dict[str, Any]) -> None:
    model = ModelConfig(**{**dict(layers=1, hidden=192, heads=6, ffn=256, vocab=64, context=64), **shape})
    for precision, low in ((torch.float32, 4.0), (torch.bfloat16, 2.0)):
        network = build(model, 1).to(precision)
        own = {parameter.untyped_storage().data_ptr() for parameter in network.parameters()}
        kept: dict[int, int] = {}

        def keep(tensor: torch.Tensor, own: set[int] = own, kept: dict[int, int] = kept) -> torch.Tensor:
            storage = tensor.untyped_storage()
            if storage.data_ptr() not in own:
                kept[storage.data_ptr()] = storage.nbytes()
            return tensor

        x = torch.randn(model.context, 4, model.hidden, dtype=precision, requires_grad=True)
        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            out = network.layers[0](x)
        expected = plan.kept_per_token(model, ParallelConfig(device="cpu"), low, "none") * model.context * 4
        assert sum(kept.values()) == pytest.approx(expected, rel=0.03), "beside it: rotary angles and one number a norm"
        del out
