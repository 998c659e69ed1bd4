"""Text from a model: an exported directory, or a checkpoint turned into one in memory; with a cache of keys and values."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, TextIteratorStreamer
from transformers.utils import logging

from core.config import ConfigError
from core.job import guarded
from core.run import Run
from tokenizer.config import END
from trainer.checkpoint import Checkpoint
from trainer.export.forms import form
from trainer.stage import chosen_checkpoint


def main(description: str | None) -> None:
    """The entry of the job."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("prompt", help="the text to go on from; empty: a new document")
    parser.add_argument("--run", default="runs/demo", help="the run's directory (default: runs/demo)")
    parser.add_argument("--export", metavar="DIR", help="an exported directory, in place of a run's")
    parser.add_argument(
        "--checkpoint", metavar="STEP", help="a checkpoint of the run, such as step-00000200, in place of its export"
    )
    parser.add_argument("--tokens", type=int, default=120, help="how many tokens at most (default: 120)")
    parser.add_argument("--temperature", type=float, default=0.8, help="0 always takes the likeliest token (default: 0.8)")
    parser.add_argument(
        "--top-p", type=float, default=0.95, help="only the likeliest tokens that make up this share (default: 0.95)"
    )
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same text (default: 0)")
    guarded(lambda: _say(parser.parse_args()))


def _say(asked: argparse.Namespace) -> None:
    logging.disable_progress_bar()
    run = Run(asked.run)
    if asked.checkpoint:
        model = in_memory(chosen_checkpoint(run, asked.checkpoint, "generate"))
        tokenizer = AutoTokenizer.from_pretrained(run.stage("train_tokenizer").uri)
    else:
        model, tokenizer = exported(asked.export or run.stage("export").uri)
    sys.stdout.write(asked.prompt)
    for piece in generate(model, tokenizer, asked.prompt, asked.tokens, asked.temperature, asked.top_p, asked.seed):
        sys.stdout.write(piece)
        sys.stdout.flush()
    sys.stdout.write("\n")


def exported(folder: str) -> tuple[Any, Any]:
    """Model and tokenizer of an exported directory. Raises ConfigError where there is none."""
    if not (Path(folder) / "config.json").exists():
        raise ConfigError(f"{folder}: holds no exported model; run `make export`, or name a checkpoint with --checkpoint.")
    model = AutoModelForCausalLM.from_pretrained(folder, local_files_only=True)
    return model.eval(), AutoTokenizer.from_pretrained(folder, local_files_only=True)


def in_memory(checkpoint: Checkpoint) -> Any:
    """A checkpoint as transformers' Granite model, nothing written."""
    made = form("granite", checkpoint.model)
    config = AutoConfig.for_model(**{key: value for key, value in made.config.items() if key != "architectures"})
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    weights = {piece.name: checkpoint.tensor(piece.source) * piece.factor for piece in made.pieces}
    model.load_state_dict(weights, strict=False, assign=True)
    model.tie_weights()
    model.model.rotary_emb = type(model.model.rotary_emb)(config)  # its frequencies are a buffer that no file holds
    return model.eval()


def generate(
    model: Any, tokenizer: Any, prompt: str, tokens: int, temperature: float = 0.8, top_p: float = 0.95, seed: int = 0
) -> Iterator[str]:
    """The continuation of a prompt, piece by piece, until the document ends or the context is full.

    In training every document stands behind the end of another, so the prompt does too.
    """
    if tokens < 1:
        raise ConfigError(f"--tokens {tokens}: must be at least 1.")
    end = tokenizer.convert_tokens_to_ids(END)
    ids = [end, *tokenizer(prompt, add_special_tokens=False)["input_ids"]]
    room = model.config.max_position_embeddings - len(ids)
    if room < 1:
        raise ConfigError(
            f"the prompt has {len(ids) - 1} tokens, the model reads at most {model.config.max_position_embeddings - 2}; "
            "shorten it."
        )
    streamer = TextIteratorStreamer(tokenizer, skip_prompt=True, skip_special_tokens=True)
    sampling = {"do_sample": True, "temperature": temperature, "top_p": top_p} if temperature > 0 else {"do_sample": False}
    torch.manual_seed(seed)
    given = torch.tensor([ids])
    settings: dict[str, Any] = {
        "inputs": given,
        "attention_mask": torch.ones_like(given),
        "max_new_tokens": min(tokens, room),
        "eos_token_id": end,
        "pad_token_id": end,
        "streamer": streamer,
        "use_cache": True,
        **sampling,
    }
    worker = Thread(target=model.generate, kwargs=settings, daemon=True)
    worker.start()
    yield from streamer
    worker.join()
