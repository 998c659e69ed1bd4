"""The same model at other widths, under muP, and from other first weights."""

from __future__ import annotations

import math
from dataclasses import replace

from core.config import ConfigError
from trainer.config import TrainConfig


def at_width(config: TrainConfig, hidden: int) -> TrainConfig:
    """The config's model at another width: heads of the same size, as many for its width, feed-forward in the same ratio (to a
    multiple of 8), and the base width where the values were found."""
    model = config.model
    heads, rest = divmod(model.heads * hidden, model.hidden)
    if rest:
        unit = model.hidden // math.gcd(model.hidden, model.heads)
        raise ConfigError(f"predict.widths: {hidden} is no multiple of {unit}, so it would have no whole number of heads.")
    keys = None if model.kv_heads is None else max(1, round(model.kv_heads * heads / model.heads))
    ffn = max(8, round(model.ffn * hidden / model.hidden / 8) * 8)
    base = model.base_hidden or model.hidden
    made = replace(model, hidden=hidden, heads=heads, kv_heads=keys, ffn=ffn, base_hidden=base)
    return replace(config, model=made)


def seeded(config: TrainConfig, number: int) -> TrainConfig:
    """The same run from other first weights, number 0 being its own; the order of the data is the run's seed's."""
    first = config.seed if config.model.init_seed is None else config.model.init_seed
    return replace(config, model=replace(config.model, init_seed=first + number)) if number else config
