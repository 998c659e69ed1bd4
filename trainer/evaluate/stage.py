"""The stage `evaluate`: a checkpoint's loss and bits per byte on held-out text, by domain and language."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor

from core.progress import Progress
from core.run import Run
from trainer.config import TrainConfig
from trainer.data.blend import segments
from trainer.data.token_data import TokenData
from trainer.data.unigram import unigram_losses
from trainer.data.validation import Validation
from trainer.evaluate.load import load_network
from trainer.evaluate.measure import Score, measure, total
from trainer.evaluate.tables import Table, fill
from trainer.stage import chosen_checkpoint

_TYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


def evaluate(config: TrainConfig, run: Run) -> dict[str, Any]:
    """Measures every domain that has held-out text; returns the facts for the manifest.

    bpb.<domain>: loss (nats a token), bpb, tokens, utf8_bytes, unigram_loss, languages.<language>.{loss, bpb, tokens,
    utf8_bytes}. tables.<name>: the configured tables.
    """
    settings = config.evaluate
    checkpoint = chosen_checkpoint(run, settings.checkpoint, "evaluate")
    data = TokenData.read(run.stage("encode").uri)
    model = checkpoint.model
    validation = Validation(data, model.context, settings.tokens)
    cuda = torch.cuda.is_available() if settings.device == "auto" else settings.device == "cuda"
    device = torch.device("cuda" if cuda else "cpu")
    network = load_network(checkpoint, device, _TYPES[settings.precision])

    def losses(tokens: Tensor, targets: Tensor) -> Tensor:
        if not model.document_mask:
            return network.losses(tokens, targets)
        numbers = torch.from_numpy(segments(tokens.t().cpu().numpy(), data.eos)).t()
        return network.losses(tokens, targets, numbers.to(device))

    scores = {}
    windows = sum(validation.windows(domain) for domain in validation.domains)
    with Progress("evaluate", total=windows, unit="window") as bar:
        for domain in validation.domains:
            advance = partial(bar.advance, note=domain)
            scores[domain] = measure(losses, validation, domain, settings.batch, device, advance)
    unigram = unigram_losses(data)
    rows = {domain: {**_row(total(by.values())), "unigram_loss": unigram[domain]} for domain, by in scores.items()}
    for domain, by_language in scores.items():
        rows[domain]["languages"] = {language: _row(score) for language, score in by_language.items()}
    tables = {name: _table(fill(table, scores)) for name, table in settings.tables.items()}
    return {
        "bpb": rows,
        "tables": tables,
        "context": f"Blocked context: windows of {model.context:,} tokens, each seen from its own beginning.",
        "step": checkpoint.step,
        "checkpoint": checkpoint.path.name,
        "precision": settings.precision,
    }


def _row(score: Score) -> dict[str, Any]:
    return {"loss": score.loss, "bpb": score.bpb, "tokens": score.tokens, "utf8_bytes": score.utf8_bytes}


def _table(table: Table) -> dict[str, Any]:
    return {
        "columns": {name: _row(score) for name, score in table.columns.items()},
        "sums": {
            name: {"loss": table.loss[name].value, "bpb": table.bpb[name].value, "covered": table.bpb[name].covered}
            for name in table.bpb
        },
    }
