"""The stage `evaluate`: a checkpoint's loss and bits per byte on held-out text, by domain and language."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor

from core import storage
from core.config import ConfigError
from core.progress import Progress
from core.run import Run
from trainer.config import TrainConfig
from trainer.data.blend import segments
from trainer.data.token_data import TokenData
from trainer.data.unigram import unigram_nats
from trainer.data.validation import Validation
from trainer.evaluate.config import EvaluateConfig
from trainer.evaluate.load import load_network
from trainer.evaluate.measure import Losses, Score, measure, total
from trainer.evaluate.place import Place
from trainer.evaluate.tables import Table, fill
from trainer.evaluate.texts import Readable, pieces, readable, retold
from trainer.evaluate.windows import Cut, HeldOut, Windows
from trainer.evaluate.written import written
from trainer.model.network import Network
from trainer.plan import parameters
from trainer.stage import chosen_checkpoint

Scores = dict[str, dict[str, Score]]
"""By domain, then language."""


def evaluate(config: TrainConfig, run: Run) -> dict[str, Any]:
    """Measures, writes RUN/evaluate/tables.md and prints it; returns the facts for the manifest."""
    facts = measured(config, run)
    text = written(facts)
    storage.write_text(run.stage("evaluate").path("tables.md"), text)
    print(text)
    return facts


def measured(config: TrainConfig, run: Run) -> dict[str, Any]:
    """Measures every domain that has held-out text; returns the facts.

    bpb.<domain>: loss (nats a token), bpb, tokens, utf8_bytes, unigram_loss, languages.<language>.{loss, bpb, tokens,
    utf8_bytes}. tables.<name>: the configured tables. beside.<model>: bpb and tables of models beside ours. left_out:
    documents that no model's figures hold (see `readable`); asked without ends, as beside others, ours has the same text.
    """
    settings = config.evaluate
    place = Place.of("evaluate", settings)
    if settings.beside:
        from trainer.evaluate.beside import check  # transformers takes seconds to import

        check(settings.beside, place)  # their turn comes after ours
    checkpoint = chosen_checkpoint(run, settings.checkpoint, "evaluate")
    data = TokenData.read(run.stage("encode").uri)
    place.check(parameters(checkpoint.model), str(checkpoint.path))
    network = load_network(checkpoint, place.device, place.dtype)
    context = checkpoint.model.context
    shared = None if settings.ends else readable(data, pieces(data, settings.tokens))
    text = held_out(data, settings, context, shared)
    scores = _scored("evaluate", _losses(network, data.eos, checkpoint.model.document_mask), text, settings, place.device)
    del network  # its room is for the models beside it
    facts = _facts(settings, scores)
    nats = torch.from_numpy(unigram_nats(data))
    unigram = _scored("unigram", lambda tokens, targets: nats[targets], text, settings, torch.device("cpu"))
    for domain, row in facts["bpb"].items():
        row["unigram_loss"] = total(unigram[domain].values()).loss
    return {
        **facts,
        "beside": _beside(settings, shared, context, place) if shared else {},
        "context": described(settings, context, shared.left_out if shared else 0),
        "left_out": shared.left_out if shared else 0,
        "training": run.training(),
        "step": checkpoint.step,
        "checkpoint": checkpoint.path.name,
        "precision": settings.precision,
    }


def held_out(data: TokenData, settings: EvaluateConfig, context: int, shared: Readable | None = None) -> HeldOut:
    """The held-out text as the settings want it cut, of what is `shared` with other models only that; as in training it is
    read from the shards, otherwise held in memory."""
    if settings.stride is not None and settings.stride > context:
        raise ConfigError(
            f"evaluate.stride = {settings.stride} is more than the context of {context} tokens; use {context} or fewer."
        )
    if settings.text == "packed" and settings.stride is None and settings.ends:
        return Validation(data, context, settings.tokens)
    return Windows(shared.documents if shared else pieces(data, settings.tokens), _cut(settings, data.eos, data.eos, context))


def described(settings: EvaluateConfig, context: int, left_out: int = 0) -> str:
    """How text was cut, in a sentence that stands beside the figures."""
    what = "documents one after another" if settings.text == "packed" else "each document by itself"
    if settings.stride is None or settings.stride == context:
        how = f"Blocked context: windows of {context:,} tokens, each seen from its own beginning"
    else:
        how = f"Sliding context: windows of {context:,} tokens, of which {settings.stride:,} are predicted"
    less = f" Documents left out of all figures, for our tokenizer does not give them back as they were: {left_out:,}."
    return f"{how}; {what}{'' if settings.ends else ', their ends not predicted'}.{less if left_out else ''}"


def _losses(network: Network, end: int, document_mask: bool) -> Losses:
    def losses(tokens: Tensor, targets: Tensor) -> Tensor:
        if not document_mask:
            return network.losses(tokens, targets)
        numbers = torch.from_numpy(segments(tokens.t().cpu().numpy(), end)).t()
        return network.losses(tokens, targets, numbers.to(tokens.device))

    return losses


def _scored(label: str, losses: Losses, text: HeldOut, settings: EvaluateConfig, device: torch.device) -> Scores:
    scores = {}
    with Progress(label, total=sum(text.windows(domain) for domain in text.domains), unit="window") as bar:
        for domain in text.domains:
            scores[domain] = measure(losses, text, domain, settings.batch, device, partial(bar.advance, note=domain))
    return scores


def _beside(settings: EvaluateConfig, shared: Readable, context: int, place: Place) -> dict[str, Any]:
    """The other models, one after another, on the text that ours was measured on."""
    from trainer.evaluate.beside import load

    found = {}
    for name, other in settings.beside.items():
        model = load(name, other, place.device, place.dtype)
        size = min(other.context or context, model.limit)
        cut = _cut(settings, model.start, model.end, size)
        scores = _scored(name, model.losses, Windows(retold(shared, model.encode), cut), settings, place.device)
        del model  # before the next one is read
        found[name] = {**_facts(settings, scores), "path": other.path, "context": size}
    return found


def _cut(settings: EvaluateConfig, start: int, end: int, context: int) -> Cut:
    return Cut(start, end, context, min(settings.stride or context, context), settings.text == "packed", settings.ends)


def _facts(settings: EvaluateConfig, scores: Scores) -> dict[str, Any]:
    rows: dict[str, Any] = {}
    for domain, by_language in scores.items():
        rows[domain] = _row(total(by_language.values()))
        rows[domain]["languages"] = {language: _row(score) for language, score in by_language.items()}
    return {"bpb": rows, "tables": {name: _table(fill(table, scores)) for name, table in settings.tables.items()}}


def _row(score: Score) -> dict[str, Any]:
    return {"loss": score.loss, "bpb": score.bpb, "tokens": score.tokens, "utf8_bytes": score.utf8_bytes}


def _table(table: Table) -> dict[str, Any]:
    sums = {
        name: {"loss": table.loss[name].value, "bpb": table.bpb[name].value, "covered": table.bpb[name].covered}
        for name in table.bpb
    }
    return {"columns": {name: _row(score) for name, score in table.columns.items()}, "sums": sums}
