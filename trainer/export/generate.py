"""Text from a model: an exported directory, or a checkpoint turned into one in memory; with a cache of keys and values."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Any

import torch
from torch import Tensor
from transformers import AutoConfig, AutoTokenizer
from transformers.generation.streamers import BaseStreamer
from transformers.utils import logging

from core.config import ConfigError
from core.job import guarded
from core.run import Run
from trainer.checkpoint import Checkpoint, CheckpointError
from trainer.evaluate import directory
from trainer.evaluate.ids import as_text, context_of, ends_of, start_of, streamed
from trainer.export.forms import form_of
from trainer.export.skeleton import skeleton
from trainer.stage import chosen_checkpoint


@dataclass(frozen=True)
class Sampling:
    """How the next token is drawn. temperature 0: the likeliest, always; top_k 0: no bound on their number."""

    temperature: float = 0.8
    top_p: float = 0.95
    top_k: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.temperature < math.inf:
            raise ConfigError(f"--temperature {self.temperature}: must be 0 or more.")
        if not 0 < self.top_p <= 1:
            raise ConfigError(f"--top-p {self.top_p}: must be above 0 and at most 1, which draws from all.")
        if self.top_k < 0:
            raise ConfigError(f"--top-k {self.top_k}: must be 0 (no bound) or more.")
        if not 0 <= self.seed < 1 << 63:
            raise ConfigError(f"--seed {self.seed}: must be from 0 to below 2^63.")

    def settings(self) -> dict[str, Any]:
        """The same for transformers, which would else bound the number of tokens at 50."""
        if self.temperature == 0:
            return {"do_sample": False}
        return {"do_sample": True, "temperature": self.temperature, "top_p": self.top_p, "top_k": self.top_k}


SAMPLING = Sampling()


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
    parser.add_argument("--top-k", type=int, default=0, help="and no more than so many (default: 0, no such bound)")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"), help="auto: CUDA where there is a device")
    guarded(lambda: _say(parser.parse_args()), resumes=False)


def _say(asked: argparse.Namespace) -> None:
    logging.disable_progress_bar()
    sampling = Sampling(asked.temperature, asked.top_p, asked.top_k, asked.seed)
    run = Run(asked.run)
    start = None
    if asked.checkpoint:
        try:
            model = in_memory(chosen_checkpoint(run, asked.checkpoint, "generate"))
        except CheckpointError as error:
            raise ConfigError(str(error)) from error
        tokenizer: Any = AutoTokenizer.from_pretrained(run.stage("train_tokenizer").uri)
        start = tokenizer.eos_token_id  # no export has said it yet
    else:
        model, tokenizer = exported(asked.export or run.stage("export").uri)
    model = model.to(_device(asked.device))
    sys.stdout.write(asked.prompt)
    for piece in generate(model, tokenizer, asked.prompt, asked.tokens, sampling, start):
        sys.stdout.write(piece)
        sys.stdout.flush()
    sys.stdout.write("\n")


def _device(asked: str) -> str:
    there = torch.cuda.is_available()
    if asked == "cuda" and not there:
        raise ConfigError("--device cuda: this machine has no CUDA device that torch can use; use cpu or auto.")
    return "cuda" if there and asked != "cpu" else "cpu"


def exported(folder: str) -> tuple[Any, Any]:
    """Model and tokenizer of an exported directory. Raises ConfigError where there is none, or none that can be loaded."""
    if not (Path(folder) / "config.json").exists():
        raise ConfigError(f"{folder}: holds no exported model; run `make export`, or name a checkpoint with --checkpoint.")
    model, tokenizer = directory.load(folder, folder, "auto")
    return model.eval(), tokenizer


def in_memory(checkpoint: Checkpoint) -> Any:
    """A checkpoint as transformers' Granite model, nothing written. Raises ConfigError for one in the midst of growing."""
    made = form_of("granite", checkpoint)
    config = AutoConfig.for_model(**{key: value for key, value in made.config.items() if key != "architectures"})
    model = skeleton(config)
    weights = {piece.name: checkpoint.tensor(piece.source) * piece.factor for piece in made.pieces}
    model.load_state_dict(weights, strict=False, assign=True)
    model.tie_weights()
    return model.eval()


def generate(
    model: Any, tokenizer: Any, prompt: str, tokens: int, sampling: Sampling = SAMPLING, start: int | None = None
) -> Iterator[str]:
    """The continuation of a prompt, piece by piece, until the document ends or the context is full.

    `start` is the id in front of the prompt; None is what the model's own settings say. In training every document stands
    behind the end of another, so exports of ours name that. A control token's name in the prompt is text, as in training.
    """
    if tokens < 1:
        raise ConfigError(f"--tokens {tokens}: must be at least 1.")
    first, ends = start_of(model, tokenizer, start), ends_of(model, tokenizer)
    if first is None or not ends:
        raise ConfigError("the model's tokenizer names no eos_token: nothing says how a text begins and ends.")
    ids = [first, *as_text(tokenizer, [prompt])[0]]
    room = (limit := context_of(model)) - len(ids)
    if room < 1:
        raise ConfigError(f"the prompt has {len(ids) - 1} tokens, the model reads at most {limit - 2}; shorten it.")
    streamer = _NewIds()
    torch.manual_seed(sampling.seed)
    given = torch.tensor([ids], device=model.device)
    settings: dict[str, Any] = {
        "inputs": given,
        "attention_mask": torch.ones_like(given),
        "max_new_tokens": min(tokens, room),
        "eos_token_id": ends,
        "pad_token_id": ends[0],
        "streamer": streamer,
        "use_cache": True,
        **sampling.settings(),
    }
    failed: list[BaseException] = []

    def work() -> None:
        try:
            model.generate(**settings)
        except BaseException as error:
            failed.append(error)
        finally:  # or the reader would wait for ever
            streamer.end()

    worker = Thread(target=work, daemon=True)
    worker.start()
    yield from streamed(tokenizer, ids, streamer)
    worker.join()
    if failed:
        raise failed[0]


class _NewIds(BaseStreamer):
    """The ids that a model makes, as it makes them; those of the prompt, which it hands over first, are left out."""

    def __init__(self) -> None:
        self._queue: Queue[int | None] = Queue()
        self._prompt = True

    def put(self, value: Tensor) -> None:
        if not self._prompt:
            for one in value.flatten().tolist():
                self._queue.put(one)
        self._prompt = False

    def end(self) -> None:
        self._queue.put(None)

    def __iter__(self) -> Iterator[int]:
        return iter(self._queue.get, None)
