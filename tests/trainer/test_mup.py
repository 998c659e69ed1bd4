"""muP: kinds of parameters, and what the width does to each."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any, Literal

import mup
import pytest
import torch

from core.config import load
from core.line import foreign
from tests.trainer.worlds import ROOT, tiny
from trainer import schedule
from trainer.config import TrainConfig
from trainer.model.initial import build
from trainer.model.mup import init_std, kind, logit_scale, peak_lr, weight_decay
from trainer.optimizer import adam, group_named


def named(config: TrainConfig) -> dict[str, torch.nn.Parameter]:
    return dict(build(config.model, 1).named_parameters())


def test_matrices_inside_blocks_are_matrix_like_and_all_else_is_vector_like() -> None:
    for name, parameter in named(tiny()).items():
        expected = "matrix-like" if name.startswith("layers.") and parameter.ndim == 2 else "vector-like"
        assert kind(name) == expected, name


def test_the_52b_config_gives_what_the_report_prints() -> None:
    config = load(ROOT / "configs/models/tele-flm-52b.yaml", [], TrainConfig, foreign("trainer"))
    model, optimizer = config.model, config.pretrain.optimizer
    assert peak_lr("vector-like", model, optimizer) == pytest.approx(1.5e-4)
    assert peak_lr("matrix-like", model, optimizer) == pytest.approx(1.5e-4)
    assert init_std("head.weight", model) == pytest.approx(4.0e-3)
    assert init_std("layers.9.attention.qkv.v", model) == pytest.approx(4.242e-3, rel=2e-4)
    assert logit_scale(model) == pytest.approx(3.125e-2)
    assert config.pretrain.schedule.minimum * config.pretrain.optimizer.lr == pytest.approx(1.5e-5)


def test_at_the_base_width_it_is_the_plain_parametrisation_bit_for_bit() -> None:
    based = tiny(base_hidden=32)
    plain = dataclasses.replace(based, model=dataclasses.replace(based.model, base_hidden=None))
    for (name, one), other in zip(named(based).items(), named(plain).values(), strict=True):
        assert torch.equal(one, other), name
    ids = torch.arange(16)[:, None]
    assert torch.equal(build(based.model, 1)(ids), build(plain.model, 1)(ids))
    for of in ("vector-like", "matrix-like"):
        assert peak_lr(of, based.model, based.pretrain.optimizer) == peak_lr(of, plain.model, plain.pretrain.optimizer)


def test_a_users_output_multiplier_does_not_replace_the_one_over_m() -> None:
    model = tiny().model  # m = 2
    assert logit_scale(model) == pytest.approx(0.7 / 2)
    assert logit_scale(dataclasses.replace(model, output_mult=3.0)) == pytest.approx(1.5)


def test_the_schedule_scales_each_groups_own_rate() -> None:
    config = tiny()
    optimizer = adam(named(config), config)
    for share in (0.2, 1.0, 0.5):
        rates = schedule.apply(optimizer.param_groups, share)
        assert rates == {"vector-like": pytest.approx(3e-3 * share), "matrix-like": pytest.approx(8e-3 / 2 * share)}
        assert group_named("matrix-like", optimizer.param_groups)["lr"] == rates["matrix-like"]


def test_every_parameter_is_in_one_of_two_groups() -> None:
    config = tiny()
    groups = adam(named(config), config).param_groups
    assert [group["name"] for group in groups] == ["vector-like", "matrix-like"]
    assert sum(len(group["params"]) for group in groups) == len(named(config))


def test_decay_falls_with_the_matrix_rate_or_keeps_its_size() -> None:
    config = tiny()
    decoupled = dataclasses.replace(config.pretrain.optimizer, weight_decay=0.1)
    scaled = dataclasses.replace(decoupled, weight_decay_form="scaled")
    coupled = dataclasses.replace(decoupled, weight_decay_form="coupled")
    assert weight_decay("matrix-like", config.model, coupled) == pytest.approx(0.2)
    assert weight_decay("matrix-like", config.model, decoupled) == pytest.approx(0.1)
    assert weight_decay("matrix-like", config.model, scaled) == pytest.approx(0.2)
    assert weight_decay("vector-like", config.model, scaled) == 0.0


@pytest.mark.parametrize(("form", "peer"), [("scaled", mup.MuAdamW), ("coupled", mup.MuAdam)])
def test_groups_rates_and_decays_are_those_of_the_mup_package(
    form: Literal["scaled", "coupled"], peer: Callable[..., torch.optim.Optimizer]
) -> None:
    def network(width: int) -> torch.nn.Module:
        return build(tiny(hidden=width, heads=width // 8, ffn=width * 3 // 2).model, 1)

    config = tiny(hidden=64, heads=8, ffn=96)  # m = 4
    optimizer = dataclasses.replace(
        config.pretrain.optimizer, lr=5e-3, lr_matrix=5e-3, weight_decay=0.1, weight_decay_vector=0.1, weight_decay_form=form
    )
    config = dataclasses.replace(config, pretrain=dataclasses.replace(config.pretrain, optimizer=optimizer))
    model = network(64)
    mup.set_base_shapes(model, network(16), delta=network(32), rescale_params=False, do_assert=False)

    def rates(groups: list[dict[str, Any]]) -> dict[int, tuple[float, float]]:
        return {id(p): (group["lr"], group["weight_decay"]) for group in groups for p in group["params"]}

    theirs = rates(peer(model.parameters(), lr=5e-3, weight_decay=0.1).param_groups)
    ours = rates(adam(dict(model.named_parameters()), config).param_groups)
    assert len(set(ours.values())) == 2
    assert ours == {key: pytest.approx(pair) for key, pair in theirs.items()}


def test_projections_into_the_residual_stream_can_start_smaller() -> None:
    model = dataclasses.replace(tiny().model, residual_init=True)
    std = init_std("layers.0.attention.qkv.q", model)
    out = init_std("layers.0.attention.out.weight", model)
    assert std is not None and out == pytest.approx(std / math.sqrt(2 * model.layers))
