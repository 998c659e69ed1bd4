"""Any Hugging Face model on our held-out text, with its own tokenizer: bits per byte can be compared, losses cannot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from core.config import ConfigError
from trainer.evaluate import directory
from trainer.evaluate.config import BesideConfig
from trainer.evaluate.ids import as_text, context_of, start_of
from trainer.evaluate.place import Place


@dataclass(frozen=True)
class Foreign:
    """A loaded model: `start` is the id in front of a document's first token, `end` the id that ends one."""

    model: Any
    tokenizer: Any
    start: int
    end: int
    limit: int

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Ids of each text, nothing put before or after."""
        return as_text(self.tokenizer, texts)

    def losses(self, tokens: Tensor, targets: Tensor) -> Tensor:
        """Nats of each target [sequence, batch], in fp32."""
        logits = self.model(tokens.t()).logits.float()
        nats = F.cross_entropy(logits.flatten(0, 1), targets.t().flatten(), reduction="none")
        return nats.view(targets.shape[1], targets.shape[0]).t()


def check(models: Mapping[str, BesideConfig], place: Place) -> None:
    """Raises ConfigError where a directory cannot serve, as far as that can be seen before its turn to be loaded."""
    for name, config in models.items():
        shell, tokenizer = directory.look(config.path, _where(name, config))
        _start(name, config, shell, tokenizer)
        place.check(directory.parameters(shell), _where(name, config))


def load(name: str, config: BesideConfig, device: torch.device, dtype: torch.dtype) -> Foreign:
    """A local Hugging Face directory. Raises ConfigError where it cannot serve."""
    model, tokenizer = directory.load(config.path, _where(name, config), dtype)
    start, end = _start(name, config, model, tokenizer), tokenizer.eos_token_id
    return Foreign(model.to(device).eval(), tokenizer, start, start if end is None else int(end), context_of(model))


def _start(name: str, config: BesideConfig, model: Any, tokenizer: Any) -> int:
    start = start_of(model, tokenizer, config.start)
    if start is None:
        said = f"{_where(name, config)}: its tokenizer names neither bos_token nor eos_token"
        raise ConfigError(f"{said}; set evaluate.beside.{name}.start.")
    return start


def _where(name: str, config: BesideConfig) -> str:
    return f"evaluate.beside.{name}.path = {config.path}"
