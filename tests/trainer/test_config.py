"""Impossible settings are refused before anything starts: the key, the value, what would be right."""

from __future__ import annotations

from typing import Any

import pytest

from core.config import ConfigError, build
from trainer.config import TrainConfig

BASE: dict[str, Any] = {"model": {"layers": 4, "hidden": 64, "heads": 8, "ffn": 96, "vocab": 100}}


def settings(**sections: dict[str, Any]) -> TrainConfig:
    return build(TrainConfig, {**BASE, **sections})


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"parallel": {"tensor": 3}}, r"parallel\.tensor = 3 does not divide model\.heads = 8; use 1, 2, 4 or 8\."),
        ({"parallel": {"zero": 2}}, r"parallel\.zero = 2 .*use zero = 1 and more tensor or pipeline ranks"),
        ({"parallel": {"zero": 3}}, r"parallel\.zero = 3 "),
        ({"parallel": {"zero": 0}}, r"parallel\.zero = 0 gives a wrong gradient norm"),
        ({"parallel": {"pipeline": 5}}, r"parallel\.pipeline = 5 leaves stages without a block.*use 4 or fewer"),
        ({"parallel": {"data": 3}}, r"pretrain\.batch = 8 is no multiple of .* = 3; use 6 or 9\."),
        ({"model": {"hidden": 60, "heads": 8}}, r"model\.heads = 8 does not divide hidden = 60"),
        ({"model": {"heads": 4, "kv_heads": 3}}, r"model\.kv_heads = 3 does not divide heads = 4; use 1, 2 or 4\."),
        ({"model": {"hidden": 36, "heads": 12}}, r"head of 3, but rotary embedding turns pairs"),
        ({"pretrain": {"steps": 0}}, r"pretrain\.steps = 0 is too small; use 1 or more"),
        ({"pretrain": {"optimizer": {"beta2": 1.5}}}, r"pretrain\.optimizer\.beta2 = 1\.5 is out of range"),
        ({"pretrain": {"optimiser": {}}}, r"pretrain\.optimiser: no such setting; did you mean 'optimizer'\?"),
        ({"parallel": {"tensor": 4}, "model": {"kv_heads": 2}}, r"does not divide model\.kv_heads = 2; use 1 or 2"),
        ({"parallel": {"tensor": 2}, "model": {"vocab": 99, "vocab_multiple": 1}}, r"vocabulary of 99; make .* of 2"),
        ({"parallel": {"tensor": 2, "sequence": True}, "model": {"context": 33}}, r"does not divide model\.context = 33"),
    ],
)  # fmt: skip
def test_it_is_refused_in_one_sentence(sections: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        settings(**sections)


def test_what_follows_from_the_settings() -> None:
    config = settings(parallel={"data": 2, "micro_batch": 2}, pretrain={"batch": 16})
    assert config.accumulation == 4 and config.model.rows == 128 and config.tokens_per_step == 16 * 4096
