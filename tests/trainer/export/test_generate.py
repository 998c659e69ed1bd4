"""Generated text: the cache changes nothing, a checkpoint says what its export says, ends end."""

from __future__ import annotations

import os
import subprocess
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch

from core.config import ConfigError
from core.run import Run
from tests.trainer.metaspace import loaded as as_loaded
from tests.trainer.metaspace import metaspace
from tests.trainer.small_run import write_run
from trainer.checkpoint import Checkpoint, consolidate
from trainer.evaluate.ids import as_text
from trainer.export.generate import Sampling, exported, generate, in_memory
from trainer.export.stage import export
from trainer.growth.record import KEY, Growth
from trainer.stage import chosen_checkpoint

ROOT = Path(__file__).resolve().parents[3]
GREEDY = Sampling(temperature=0)


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
    assert "".join(generate(*loaded, "The river", 12, GREEDY)) == greedy(*loaded, "The river", 12)


def test_a_checkpoint_says_what_its_export_says(loaded: tuple[Any, Any], tmp_path: Path) -> None:
    model = in_memory(chosen_checkpoint(Run(str(tmp_path)), None, "test"))
    tokens = torch.arange(4, 30)[None]
    with torch.no_grad():
        assert torch.equal(model(tokens).logits, loaded[0](tokens).logits)


def test_the_same_seed_gives_the_same_text(loaded: tuple[Any, Any]) -> None:
    first, second, other = ("".join(generate(*loaded, "Rain", 20, Sampling(1.5, seed=seed))) for seed in (1, 1, 2))
    assert first == second != other


def test_a_text_stops_where_the_context_is_full(loaded: tuple[Any, Any]) -> None:
    model, tokenizer = loaded
    room = 32 - 1 - len(tokenizer("Rain")["input_ids"])
    assert "".join(generate(model, tokenizer, "Rain", 500, GREEDY)) == greedy(model, tokenizer, "Rain", room)


def test_a_prompt_longer_than_the_context_is_refused(loaded: tuple[Any, Any]) -> None:
    with pytest.raises(ConfigError, match="the model reads at most 30; shorten it"):
        list(generate(*loaded, "Rain again. " * 40, 5))


def test_a_folder_without_an_export_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="run `make export`"):
        exported(str(tmp_path))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"top_p": 2.0}, "--top-p 2.0: must be above 0"),
        ({"top_p": 0.0}, "--top-p 0.0: must be above 0"),
        ({"temperature": -1.0}, "--temperature -1.0: must be 0 or more"),
        ({"temperature": float("nan")}, "--temperature nan: must be 0 or more"),
        ({"top_k": -1}, "--top-k -1: must be 0"),
        ({"seed": -1}, "--seed -1: must be from 0"),
    ],
)
def test_what_cannot_be_drawn_by_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        Sampling(**given)


def test_a_model_that_fails_ends_the_text_with_its_error(loaded: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    model, tokenizer = loaded

    def fails(**settings: Any) -> None:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(model, "generate", fails)
    with pytest.raises(RuntimeError, match="out of memory"):
        list(generate(model, tokenizer, "Rain", 5))


def test_no_bound_on_the_number_of_tokens_is_put_silently(loaded: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    model, tokenizer = loaded
    asked: list[Any] = []
    made = model._get_logits_processor

    def seen(generation_config: Any, *rest: Any, **more: Any) -> Any:
        processors = made(generation_config, *rest, **more)
        asked.extend(type(processor).__name__ for processor in processors)
        return processors

    monkeypatch.setattr(model, "_get_logits_processor", seen)
    list(generate(model, tokenizer, "Rain", 2, Sampling(0.8, 0.95)))
    assert "TopPLogitsWarper" in asked and "TopKLogitsWarper" not in asked
    list(generate(model, tokenizer, "Rain", 2, Sampling(0.8, 0.95, top_k=5)))
    assert "TopKLogitsWarper" in asked


def test_a_control_tokens_name_in_the_prompt_is_text(loaded: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    model, tokenizer = loaded
    read: list[list[int]] = []
    made = model.generate

    def seen(**settings: Any) -> Any:
        read.extend(settings["inputs"].tolist())
        return made(**settings)

    monkeypatch.setattr(model, "generate", seen)
    list(generate(model, tokenizer, "a </s> and <s>", 1, GREEDY))
    assert read[0][0] == 2 and not {0, 1, 2, 3} & set(read[0][1:])
    assert tokenizer.decode(read[0][1:]) == "a </s> and <s>"


def test_a_blank_between_the_prompt_and_its_continuation_is_kept(
    loaded: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tokenizers after SentencePiece take a blank at the beginning of what they decode for their own."""
    model, tokenizer = loaded[0], as_loaded(metaspace(["The river flows on"]))
    (ids,) = as_text(tokenizer, ["The river flows on"])

    def makes(streamer: Any, inputs: Any, **settings: Any) -> None:
        streamer.put(inputs)
        for one in [*ids[inputs.shape[1] - 1 :], 2]:
            streamer.put(torch.tensor([one]))
        streamer.end()

    monkeypatch.setattr(model, "generate", makes)
    assert "".join(generate(model, tokenizer, "The river", 20, GREEDY)) == " flows on"


def test_a_checkpoint_in_the_midst_of_growing_is_refused(tmp_path: Path) -> None:
    write_run(tmp_path)
    whole = chosen_checkpoint(Run(str(tmp_path)), None, "test")
    growth = Growth(begun=20, mask_steps=10, warmup=0, hidden=16, heads=2, ffn=24, new_layers=(), origin="x")
    state = {"step": 25, "model": whole.model, KEY: asdict(growth)}
    growing = consolidate(tmp_path / "growing", 25, state, whole.weights())
    with pytest.raises(ConfigError, match="still growing, 50% of its new parts count.* take step 30 or a later one"):
        in_memory(Checkpoint.open(growing))


def test_make_hands_on_a_prompt_as_it_was_typed(tmp_path: Path) -> None:
    """Quotes, dollars and backticks; the job itself is replaced by one that prints what it was given."""
    said = """it's "so", costs $5 or $(HOME) `pwd` \\ and -- ends"""
    (tmp_path / ".ready").touch()
    echo = tmp_path / "echo"
    echo.write_text('#!/bin/sh\nfor last; do :; done\nprintf %s "$last"\n')
    echo.chmod(0o755)
    command = ["make", "-s", "-o", str(tmp_path / ".ready"), "generate", f"PROMPT={said}", f"PYTHON={echo}"]
    given = [*command, f"READY={tmp_path / '.ready'}"]
    made = subprocess.run(given, cwd=ROOT, capture_output=True, text=True, check=True, env=dict(os.environ))
    assert made.stdout == said
