"""A Hugging Face directory of anybody's: looked through in a moment, before other work takes hours, and loaded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, GenerationConfig
from transformers.utils import logging

from core.config import ConfigError
from trainer.export.stored import Stored


def look(path: str, where: str) -> tuple[Any, Any]:
    """The model without its weights, on the meta device, and the tokenizer; of the weights' files the headers alone are read.

    Raises ConfigError where `load` would, save for damage behind a header; `where` begins the sentence.
    """
    with _said(where):
        tokenizer = AutoTokenizer.from_pretrained(path, local_files_only=True)
        with torch.device("meta"):
            shell: Any = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(path, local_files_only=True))
        if (Path(path) / "generation_config.json").exists():
            shell.generation_config = GenerationConfig.from_pretrained(path, local_files_only=True)
        for file in sorted(set(Stored(path).files.values())):
            if file.endswith(".safetensors"):
                with safe_open(Path(path) / file, framework="pt") as handle:
                    handle.keys()
    return shell, tokenizer


def parameters(shell: Any) -> int:
    """How many a model has; 0 for one whose weights are stored in fewer bits than any type, for their room is another."""
    if getattr(shell.config, "quantization_config", None) is not None:
        return 0
    return sum(one.numel() for one in shell.parameters())


def load(path: str, where: str, dtype: torch.dtype | str) -> tuple[Any, Any]:
    """(model, tokenizer). Raises ConfigError where they cannot be loaded; `where` begins the sentence.

    dtype: of the weights in memory; "auto" is as they are stored.
    """
    with _said(where):
        tokenizer = AutoTokenizer.from_pretrained(path, local_files_only=True)
        return AutoModelForCausalLM.from_pretrained(path, local_files_only=True, dtype=dtype), tokenizer


@contextmanager
def _said(where: str) -> Iterator[None]:
    logging.disable_progress_bar()
    try:
        yield
    except Exception as error:  # transformers, tokenizers and safetensors each have their own, some of them of no other kind
        raise ConfigError(f"{where}: transformers cannot load it: {error}") from error
