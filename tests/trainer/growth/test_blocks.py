"""Which blocks new ones copy."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from core.config import ConfigError
from tests.trainer.growth.test_tensors import IDS, SMALL, trained
from trainer.config.grow import LayerChoice
from trainer.growth.blocks import arrange, distances
from trainer.model.initial import build


def sources(choice: LayerChoice, before: int, now: int, measured: tuple[float, ...] = ()) -> list[int]:
    placed = arrange(choice, before, now, measured)
    assert [one.source for one in placed if not one.new] == list(range(before))  # the old ones, in their order
    return [one.source for one in placed]


def test_stacking_repeats_the_last_blocks_on_top() -> None:
    assert sources("stack", 4, 6) == [0, 1, 2, 3, 2, 3]
    assert sources("stack", 3, 6) == [0, 1, 2, 0, 1, 2]
    assert sources("stack", 2, 5) == [0, 1, 1, 0, 1]


def test_interpolation_spreads_copies_evenly() -> None:
    assert sources("interpolate", 4, 6) == [0, 1, 1, 2, 3, 3]
    assert sources("interpolate", 3, 6) == [0, 0, 1, 1, 2, 2]
    assert sources("interpolate", 64, 80).count(3) == 2


def test_distance_copies_where_the_least_happens() -> None:
    assert sources("distance", 4, 6, (0.9, 0.1, 0.5, 0.2)) == [0, 1, 1, 2, 3, 3]
    assert sources("distance", 2, 5, (0.2, 0.1)) == [0, 0, 1, 1, 1]  # all once before one twice
    with pytest.raises(ConfigError, match="distance for each of 4 blocks"):
        arrange("distance", 4, 6, (0.1,))


@torch.no_grad()
def test_a_block_that_adds_nothing_has_no_distance(tmp_path: Path) -> None:
    checkpoint = trained(tmp_path)
    network = build(SMALL, 1)
    network.load_state_dict(checkpoint.weights())
    x = network.embedding(IDS)
    out = network.layers[0](x)
    first, second = distances(checkpoint, IDS)
    assert first == pytest.approx(float(((out - x).norm(dim=-1) / x.norm(dim=-1)).mean()), rel=1e-5)
    assert second > 0
    numbers = (torch.arange(16) // 5).unsqueeze(1).expand(16, 3).int()  # attention that stops between documents
    masked = network.layers[0](x, numbers)
    expected = float(((masked - x).norm(dim=-1) / x.norm(dim=-1)).mean())
    assert distances(checkpoint, IDS, numbers)[0] == pytest.approx(expected, rel=1e-5) != pytest.approx(first, rel=1e-5)
