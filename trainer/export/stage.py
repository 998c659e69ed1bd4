"""The stage `export`: a checkpoint as a Hugging Face directory, compared with what it came from."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from core import storage
from core.config import plain
from core.progress import Progress
from core.run import Run
from tokenizer.encode import Vocabulary
from trainer.checkpoint import Checkpoint
from trainer.config import TrainConfig
from trainer.export.card import card
from trainer.export.check import TOLERANCE, Parity, compare, of_checkpoint
from trainer.export.forms import Form, form_of, shape_of
from trainer.export.weights import write_weights
from trainer.stage import chosen_checkpoint

TYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}
_NAMES = {"fp32": "float32", "bf16": "bfloat16"}


def export(config: TrainConfig, run: Run) -> dict[str, Any]:
    """Writes RUN/export/ and returns the facts for its manifest.

    Raises ConfigError where the export computes otherwise. A folder with config.json is a model for whoever loads one, so it
    has none while the weights are written, nor when the check has failed or was interrupted.
    """
    settings, directory, training = config.export, run.stage("export"), run.training()
    checkpoint = chosen_checkpoint(run, settings.checkpoint, "export")
    made = form_of(settings.form, checkpoint)
    model, dtype = checkpoint.model, TYPES[settings.precision]
    sizes = {piece.name: math.prod(shape_of(piece.source, model)) for piece in made.pieces}
    storage.remove(directory.path("config.json"))
    with Progress("export", total=len(made.pieces), unit="tensor") as bar:
        files = write_weights(
            directory.uri, made.pieces, sizes, checkpoint.tensor, dtype, int(settings.file_gigabytes * 1e9), bar.advance
        )
    trained = run.stage("train_tokenizer")
    vocabulary = Vocabulary.read(trained.path("tokenizer.json"))
    write_settings(directory.uri, made, _NAMES[settings.precision], vocabulary)
    tokenizer = copy_tokenizer(trained.uri, directory.uri, model.context)
    parameters = sum(math.prod(shape_of(name, model)) for name in checkpoint.names())
    facts: dict[str, Any] = {
        "form": settings.form,
        "architecture": made.config["architectures"][0],
        "precision": settings.precision,
        "parameters": parameters,
        "training": training,
        "step": checkpoint.step,
        "checkpoint": checkpoint.path.name,
        "model": plain(model),
        "files": [*files, "config.json", "generation_config.json", "README.md", *tokenizer],
    }
    if settings.check_tokens:
        try:
            parity = check(checkpoint, directory.uri, settings.check_tokens, dtype)
        except BaseException:
            storage.remove(directory.path("config.json"))
            raise
        facts["check"] = {"difference": parity.difference, "largest_logit": parity.largest, "tokens": parity.tokens}
    storage.write_text(directory.path("README.md"), card(run, model, facts))
    return facts


def write_settings(folder: str, made: Form, dtype: str, vocabulary: Vocabulary) -> None:
    """config.json and generation_config.json, with the tokenizer's control ids."""
    ids = {f"{role}_token_id": getattr(vocabulary, role) for role in ("bos", "eos", "pad")}
    storage.write_json(storage.join(folder, "config.json"), {**made.config, **ids, "dtype": dtype, "use_cache": True})
    ids["bos_token_id"] = ids["eos_token_id"]  # generation begins as a document in training does: behind the end of another
    generation = {**ids, "do_sample": True, "temperature": 0.8, "top_p": 0.95, "top_k": 0, "max_new_tokens": 256}
    storage.write_json(storage.join(folder, "generation_config.json"), generation)


def copy_tokenizer(source: str, folder: str, context: int) -> list[str]:
    """Copies tokenizer.json as it is, tokenizer_config.json with the context; returns the files' names."""
    names = ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"]
    storage.write_text(storage.join(folder, names[0]), storage.read_text(storage.join(source, names[0])))
    about = storage.read_json(storage.join(source, names[1]))
    storage.write_json(storage.join(folder, names[1]), {**about, "model_max_length": context})
    named = {role: about[role] for role in ("bos_token", "eos_token", "pad_token") if role in about}
    storage.write_json(storage.join(folder, names[2]), named)
    return names


def check(checkpoint: Checkpoint, folder: str, tokens: int, dtype: torch.dtype) -> Parity:
    """Compares the export with the checkpoint on drawn token ids, both in fp32; weights stored in bf16 are rounded on
    both sides first, and a folded multiplier may then round once more."""
    model = checkpoint.model
    generator = torch.Generator().manual_seed(0)
    length = min(tokens, model.context)
    ids: Tensor = torch.randint(0, model.vocab or model.rows, (1, length), generator=generator)
    return compare(of_checkpoint(checkpoint, dtype), folder, ids, TOLERANCE if dtype == torch.float32 else 0.02)
