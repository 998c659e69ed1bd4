"""Growth does not change the function: four dimensions at once, random new weights, in double precision."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from core.config import ConfigError, plain
from tests.trainer.worlds import tiny
from trainer.checkpoint import Checkpoint, consolidate
from trainer.config import ModelConfig
from trainer.export.forms import canonical_names
from trainer.growth import shape
from trainer.growth.blocks import Placed, arrange
from trainer.growth.masks import mask_network
from trainer.growth.record import Growth
from trainer.growth.tensors import Grown
from trainer.model.initial import build
from trainer.model.network import Block, Network

SMALL = tiny().model  # 2 layers, 32 wide, 4 heads of 8, ffn 48, m = 2
BIGGER: dict[str, Any] = dict(layers=5, hidden=48, heads=6, ffn=80, input_mult=1.5, output_mult=0.9)
IDS = torch.randint(0, 60, (16, 3), generator=torch.Generator().manual_seed(1))


def trained(folder: Path, model: ModelConfig = SMALL, **state: Any) -> Checkpoint:
    """A checkpoint whose gains and moments are not what they are at first; `state`: what else a run would have noted."""
    draw = torch.Generator().manual_seed(8)
    tensors: dict[str, Tensor] = {}
    for name, value in build(model, 3).named_parameters():
        tensors[name] = value.detach() + 0.1 * torch.randn(value.shape, generator=draw)
        tensors[f"{name}.exp_avg"] = torch.randn(value.shape, generator=draw)
        tensors[f"{name}.exp_avg_sq"] = torch.rand(value.shape, generator=draw)
    noted = {"model": plain(model), "adam_step": 7, "sequences": 56, **state}
    return Checkpoint.open(consolidate(folder, 7, noted, tensors))


def growth(small: ModelConfig, blocks: list[Placed], mask_steps: int = 4) -> Growth:
    new = tuple(number for number, placed in enumerate(blocks) if placed.new)
    return Growth(7, mask_steps, 2, small.hidden, small.heads, small.ffn, new, "")


def network(model: ModelConfig, weights: dict[str, Tensor]) -> Network:
    made = build(model, 1).double()
    made.load_state_dict({**weights, "head.weight": weights["embedding.weight"]} if model.tied else weights)
    return made


def grown(
    folder: Path, model: ModelConfig, choice: Any = "interpolate", before: ModelConfig = SMALL
) -> tuple[Checkpoint, Network, Network, Growth]:
    """The small network, the grown one without masks, and the growth between them."""
    checkpoint = trained(folder, before)
    small = checkpoint.model
    shape.check(small, model)
    blocks = arrange(choice, small.layers, model.layers, [0.5, 0.3])
    made = Grown(small, model, blocks, lambda name: checkpoint.tensor(name).double(), seed=5)
    names = [name for name, _ in build(model, 1).named_parameters()]
    weights = {name: made.tensors(name)[name] for name in names}
    return checkpoint, network(small, checkpoint.weights()), network(model, weights), growth(small, blocks)


@torch.no_grad()
def test_four_dimensions_at_once_leave_the_function_as_it_was(tmp_path: Path) -> None:
    model = dataclasses.replace(SMALL, **BIGGER)
    _, small, large, made = grown(tmp_path, model)
    expected, plain_network = small(IDS), large(IDS)
    assert (plain_network - expected).abs().max() > 0.1  # without masks it is another function
    mask_network(large, made, model, 0.0)
    assert (large(IDS) - expected).abs().max() <= 1e-12
    mask_network(large, made, model, 1.0)  # the masks are there, and change nothing
    assert (large(IDS) - plain_network).abs().max() <= 1e-12
    mask_network(large, made, model, 0.5)
    assert (large(IDS) - expected).abs().max() > 1e-3
    mask_network(large, made, model, None)
    assert torch.equal(large(IDS), plain_network)


@torch.no_grad()
def test_statistics_over_all_dimensions_would_change_it(tmp_path: Path) -> None:
    """What a mask on the norm's output alone would give: the mean over the widened state, new dimensions included."""
    model = dataclasses.replace(SMALL, hidden=48, heads=6)
    _, small, large, made = grown(tmp_path, model)
    mask_network(large, made, model, 0.0)
    for block in large.layers:
        assert isinstance(block, Block)
        for norm in (block.attention_norm, block.feed_forward_norm):
            norm.gain.data[SMALL.hidden :] = 0.0
            norm.mask = None
    large.norm.gain.data[SMALL.hidden :] = 0.0
    large.norm.mask = None
    assert (large(IDS) - small(IDS)).abs().max() > 0.01


@torch.no_grad()
@pytest.mark.parametrize(
    "change",
    [{"hidden": 40}, {"heads": 7}, {"ffn": 50}, {"layers": 3}, {"base_hidden": 4}, {"output_mult": 3.0, "input_mult": 0.5}],
    ids=lambda change: next(iter(change)),
)
def test_each_dimension_grows_alone(tmp_path: Path, change: dict[str, Any]) -> None:
    model = dataclasses.replace(SMALL, head_size=8, **change)
    _, small, large, made = grown(tmp_path, model, "distance")
    mask_network(large, made, model, 0.0)
    assert (large(IDS) - small(IDS)).abs().max() <= 1e-12


@torch.no_grad()
@pytest.mark.parametrize(
    ("before", "after"),
    [({"kv_heads": 2}, {"kv_heads": 3}), ({"tied": True}, {"output_mult": 1.05})],
    ids=["grouped heads", "one matrix for embedding and head"],
)
def test_other_networks_grow_as_well(tmp_path: Path, before: dict[str, Any], after: dict[str, Any]) -> None:
    small = dataclasses.replace(SMALL, **before)
    model = dataclasses.replace(small, hidden=48, heads=6, layers=3, **after)
    checkpoint = trained(tmp_path, small)
    blocks = arrange("stack", 2, 3)
    made = Grown(small, model, blocks, lambda name: checkpoint.tensor(name).double(), seed=5)
    names = canonical_names(model)
    one, other = (build(shape, 1).double() for shape in (small, model))
    one.load_state_dict(checkpoint.weights(), strict=False)
    other.load_state_dict({name: made.tensors(name)[name] for name in names}, strict=False)
    mask_network(other, growth(small, blocks), model, 0.0)
    assert (other(IDS) - one(IDS)).abs().max() <= 1e-12


@torch.no_grad()
@settings(max_examples=15, deadline=None)
@given(
    heads=st.integers(4, 7),
    ffn=st.integers(48, 60),
    layers=st.integers(2, 6),
    choice=st.sampled_from(["stack", "interpolate", "distance"]),
)
def test_any_growth_keeps_the_function(tmp_path_factory: Any, heads: int, ffn: int, layers: int, choice: str) -> None:
    model = dataclasses.replace(SMALL, hidden=8 * heads, heads=heads, ffn=ffn, layers=layers)
    _, small, large, made = grown(tmp_path_factory.mktemp("any"), model, choice)
    mask_network(large, made, model, 0.0)
    assert (large(IDS) - small(IDS)).abs().max() <= 1e-12


def test_moments_follow_their_weights(tmp_path: Path) -> None:
    model = dataclasses.replace(SMALL, **BIGGER)
    checkpoint = trained(tmp_path)
    made = Grown(SMALL, model, arrange("stack", 2, 5), checkpoint.tensor, seed=5)
    inside = made.tensors("layers.1.attention.out.weight")
    old = checkpoint.tensor("layers.1.attention.out.weight.exp_avg")
    assert torch.equal(inside["layers.1.attention.out.weight.exp_avg"][:32, :32], old)
    assert not inside["layers.1.attention.out.weight.exp_avg"][32:].any()
    copied = made.tensors("layers.4.attention.out.weight")  # a new block: the weights of the one it copies, no moments
    assert torch.equal(copied["layers.4.attention.out.weight"][:32, :32], checkpoint.tensor("layers.1.attention.out.weight"))
    assert not copied["layers.4.attention.out.weight.exp_avg_sq"].any()
    # The head is multiplied by (0.7 / 2) / (0.9 / 3), and a gradient is divided by it.
    factor = 0.35 / 0.3
    head = made.tensors("head.weight")
    assert torch.allclose(head["head.weight"][:64, :32], checkpoint.tensor("head.weight") * factor)
    assert torch.allclose(head["head.weight.exp_avg"][:64, :32], checkpoint.tensor("head.weight.exp_avg") / factor)
    assert torch.allclose(head["head.weight.exp_avg_sq"][:64, :32], checkpoint.tensor("head.weight.exp_avg_sq") / factor**2)


def test_from_m_32_to_m_40_the_head_takes_a_quarter_more(tmp_path: Path) -> None:
    small = dataclasses.replace(SMALL, hidden=32, base_hidden=1, output_mult=1.0)
    model = dataclasses.replace(small, hidden=40, heads=5)
    checkpoint = trained(tmp_path, small)
    head = Grown(small, model, arrange("stack", 2, 2), checkpoint.tensor, 5).tensors("head.weight")["head.weight"]
    assert torch.allclose(head[:, :32], checkpoint.tensor("head.weight") * 1.25)


@torch.no_grad()
@pytest.mark.parametrize("tied", [False, True], ids=["a head of its own", "one matrix for embedding and head"])
def test_rows_that_new_padding_adds_do_not_move_the_loss(tmp_path: Path, tied: bool) -> None:
    before_it = dataclasses.replace(SMALL, tied=tied)
    model = dataclasses.replace(before_it, vocab_multiple=256)  # 64 rows become 256
    _, small, large, _ = grown(tmp_path, model, before=before_it)
    before, after = small(IDS), large(IDS)
    assert torch.allclose(after[..., :64], before, rtol=0, atol=1e-12)
    unused = torch.logsumexp(before[..., 60:64], -1) - torch.log(torch.tensor(4.0))
    assert (after[..., 64:].amax(-1) <= unused + 1e-6).all()  # each new row at most as likely as one that nobody asks for


def test_what_cannot_keep_the_function_is_refused() -> None:
    def refuse(says: str, **change: Any) -> None:
        with pytest.raises(ConfigError, match=says):
            shape.check(SMALL, dataclasses.replace(SMALL, **change))

    refuse("smaller than the 48", ffn=40)
    refuse("head_size=8", hidden=48)
    refuse("use kv_heads = 6", hidden=48, heads=6, kv_heads=3)
    refuse("model.context = 32", context=32)
    tied = dataclasses.replace(SMALL, tied=True)
    with pytest.raises(ConfigError, match=r"use 1\.05"):
        shape.check(tied, dataclasses.replace(tied, hidden=48, heads=6))
