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
        files = [file for file in Path(path).iterdir() if file.suffix in (".safetensors", ".bin")]
        if not files:
            raise OSError("it holds no .safetensors or .bin file")
        for file in files:
            if file.suffix == ".safetensors":
                with safe_open(file, framework="pt"):
                    pass
    return shell, tokenizer


@contextmanager
def _said(where: str) -> Iterator[None]:
    logging.disable_progress_bar()
    try:
        yield
    except (
        Exception
    ) as error:  # of any kind: transformers, tokenizers and safetensors each raise their own, or a bare Exception
        raise ConfigError(f"{where}: transformers cannot load it: {error}") from error
