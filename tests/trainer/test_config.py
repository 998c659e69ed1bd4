"""Impossible settings are refused before anything starts: the key, the value, what would be right."""

from __future__ import annotations

import math
from typing import Any

import pytest

from core.config import ConfigError, build, plain
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
        ({"parallel": {"timeout_minutes": 0}}, r"parallel\.timeout_minutes = 0\.0 is out of range; use a value from 0\.01 to"),
        ({"parallel": {"timeout_minutes": math.inf}}, r"parallel\.timeout_minutes = inf is out of range"),
        ({"pretrain": {"ramp": [[100, 0]]}}, r"pretrain\.ramp = \[\[100, 0\]\] must be pairs .* of 1 or more"),
        ({"pretrain": {"ramp": [[100, -4096]], "batch": 4096, "batch_unit": "tokens"}}, r"pretrain\.ramp = .* must be pairs"),
        ({"pretrain": {"monitor": {"predicted": [[]]}}}, r"pretrain\.monitor\.predicted = \[\[\]\] must be pairs"),
        ({"pretrain": {"monitor": {"predicted": [[1e6, 3.0], []]}}}, r"pretrain\.monitor\.predicted = .* must be pairs"),
    ],
)  # fmt: skip
def test_it_is_refused_in_one_sentence(sections: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        settings(**sections)


def test_a_batch_may_be_given_in_tokens() -> None:
    model = {**BASE["model"], "context": 4096}
    config = settings(model=model, pretrain={"batch": 5_505_024, "ramp": [[10, 8192]], "batch_unit": "tokens"})
    assert config.pretrain.batch == 1344 and config.pretrain.ramp == [[10, 2]] and config.tokens_per_step == 5_505_024
    assert build(TrainConfig, plain(config)) == config
    with pytest.raises(ConfigError, match=r"pretrain\.batch = 9000 tokens is no multiple of .* = 4096; use 8192 or 12288"):
        settings(model=model, pretrain={"batch": 9000, "batch_unit": "tokens"})


def test_a_fall_that_begins_inside_the_warm_up_is_refused() -> None:
    shape: dict[str, Any] = {"kind": "wsd", "warmup": 60, "decay": 50}
    said = r"^pretrain\.schedule\.warmup = 60 and decay = 50 are together longer than {}; make one of them shorter\.$"
    with pytest.raises(ConfigError, match=said.format("length = 100")):
        settings(pretrain={"steps": 110, "schedule": {**shape, "length": 100}})
    with pytest.raises(ConfigError, match=said.format(r"pretrain\.steps = 100")):
        settings(pretrain={"steps": 100, "schedule": shape})
    for more in ({"steps": 110}, {"steps": 20, "schedule": {**shape, "length": 110}}):
        settings(pretrain={"schedule": shape, **more})
    model = {**BASE["model"], "context": 10}
    counted = {"steps": 3, "batch": 4, "ramp": [[1, 2]], "schedule": {**shape, "unit": "tokens"}}
    with pytest.raises(ConfigError, match=said.format(r"the 100 tokens of pretrain\.steps = 3")):
        settings(model=model, pretrain=counted)
    settings(model=model, pretrain={**counted, "steps": 4})


def test_what_follows_from_the_settings() -> None:
    config = settings(parallel={"data": 2, "micro_batch": 2}, pretrain={"batch": 16})
    assert config.accumulation == 4 and config.model.rows == 128 and config.tokens_per_step == 16 * 4096


def test_a_ramp_knows_the_sequences_of_every_step() -> None:
    config = settings(pretrain={"batch": 16, "steps": 10, "ramp": [[2, 4], [5, 8]]}).pretrain
    assert [config.batch_at(step) for step in (1, 2, 3, 5, 6, 10)] == [4, 4, 8, 8, 16, 16]
    for step in range(1, 11):
        assert config.sequences_through(step) == sum(config.batch_at(n) for n in range(1, step + 1))
    with pytest.raises(ConfigError, match=r"pretrain\.ramp: 4 = 4 is no multiple of .* = 8; use 8"):
        settings(parallel={"data": 8}, pretrain={"batch": 16, "ramp": [[2, 4]]})
    with pytest.raises(ConfigError, match=r"pretrain\.ramp = .* must be pairs"):
        settings(pretrain={"ramp": [[5, 8], [2, 4]]})
