"""Generated text: the cache changes nothing, a checkpoint says what its export says, ends end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from core.config import ConfigError
from core.run import Run
from tests.trainer.small_run import write_run
from trainer.export.generate import exported, generate, in_memory
from trainer.export.stage import export
from trainer.stage import chosen_checkpoint


@pytest.fixture
def loaded(tmp_path: Path) -> tuple[Any, Any]:
    config = write_run(tmp_path)
    export(config, Run(config.run))
    return exported(str(tmp_path / "export"))


def greedy(model: Any, tokenizer: Any, prompt: str, tokens: int) -> str:
    """The likeliest tokens one by one, each time reading everything anew."""
    ids = [2, *tokenizer(prompt, add_special_tokens=False)["input_ids"]]
    given = len(ids)
    while len(ids) < given + tokens:
        with torch.no_grad():
            ids.append(int(model(torch.tensor([ids])).logits[0, -1].argmax()))
        if ids[-1] == 2:
            break
    return str(tokenizer.decode(ids[given:], skip_special_tokens=True))


def test_the_cache_changes_no_token(loaded: tuple[Any, Any]) -> None:
    assert "".join(generate(*loaded, "The river", 12, temperature=0)) == greedy(*loaded, "The river", 12)


def test_a_checkpoint_says_what_its_export_says(loaded: tuple[Any, Any], tmp_path: Path) -> None:
    model = in_memory(chosen_checkpoint(Run(str(tmp_path)), None, "test"))
    tokens = torch.arange(4, 30)[None]
    with torch.no_grad():
        assert torch.equal(model(tokens).logits, loaded[0](tokens).logits)


def test_the_same_seed_gives_the_same_text(loaded: tuple[Any, Any]) -> None:
    first, second, other = ("".join(generate(*loaded, "Rain", 20, temperature=1.5, seed=seed)) for seed in (1, 1, 2))
    assert first == second != other


def test_a_text_stops_where_the_context_is_full(loaded: tuple[Any, Any]) -> None:
    model, tokenizer = loaded
    room = 32 - 1 - len(tokenizer("Rain")["input_ids"])
    assert "".join(generate(model, tokenizer, "Rain", 500, temperature=0)) == greedy(model, tokenizer, "Rain", room)


def test_a_prompt_longer_than_the_context_is_refused(loaded: tuple[Any, Any]) -> None:
    with pytest.raises(ConfigError, match="the model reads at most 30; shorten it"):
        list(generate(*loaded, "Rain again. " * 40, 5))


def test_a_folder_without_an_export_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="run `make export`"):
        exported(str(tmp_path))
