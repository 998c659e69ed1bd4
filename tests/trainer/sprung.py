"""DeepSpeed's config with a trap of it sprung."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest import mock

from trainer.config import TrainConfig


def settings(change: Callable[[dict[str, Any]], None]) -> Any:
    """DeepSpeed's config with something else in it."""
    from trainer.parallel.settings import deepspeed_config

    def made(config: TrainConfig, stage_parameters: int) -> dict[str, Any]:
        config_made = deepspeed_config(config, stage_parameters)
        change(config_made)
        return config_made

    return mock.patch("trainer.parallel.engine.deepspeed_config", made)
