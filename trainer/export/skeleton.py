"""A transformers model of a config with no weights in it yet."""

from __future__ import annotations

from typing import Any

import torch
from transformers import AutoModelForCausalLM


def skeleton(config: Any) -> Any:
    """The model on the meta device, in fp32, but for the frequencies of its rotary embedding: a buffer that no file holds."""
    with torch.device("meta"):
        model: Any = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    model.model.rotary_emb = type(model.model.rotary_emb)(config)
    return model
