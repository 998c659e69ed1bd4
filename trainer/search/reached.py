"""What a real run of the target has reached, finished or still in training, at the places at which its loss was foretold."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from core.config import ConfigError, build, plain
from core.run import Run
from core.storage import local_path
from trainer.config import ModelConfig, TrainConfig
from trainer.launch import check_mounted
from trainer.log import rows
from trainer.search.transfer import differences, shape, terms


def real_run(given: str | None, run: Run, target: ModelConfig) -> Run | None:
    """The run to compare with: the one that is given, or else this one, where it trains the target.

    Raises ConfigError where the given run trains nothing, or another network, or lies in an object store.
    """
    if given is not None:
        check_mounted("predict.reached", given)
    found = Run(given) if given is not None else run
    path = Path(local_path(found.stage("pretrain").path("model.json")))
    if not path.exists():
        if given is None:
            return None
        raise ConfigError(f"predict.reached = {given}: nothing was trained there; give a run whose `make pretrain` has begun.")
    other = differences(shape(json.loads(path.read_text(encoding="utf-8"))), shape(plain(target)))
    if other and given is not None:
        raise ConfigError(f"predict.reached = {given}: trains another network ({other[0]}); give a run of the target.")
    return None if other else found


def reached(real: Run, curve: Sequence[Mapping[str, Any]], window: int, asked: Mapping[str, Any]) -> dict[str, Any]:
    """At each place of the curve that the run has come to: its mean loss over the `window` tokens before, and whether that lies
    inside the interval.

    notes: in which of the `asked` terms, those of the curve and its shards, the run differs. tokens: how far it has come.
    """
    log = [row for row in rows(Path(local_path(real.stage("pretrain").path("log.jsonl")))) if "loss" in row]
    seen = [int(row["tokens"]) for row in log]
    stride = seen[-1] - seen[-2] if len(seen) > 1 else 0
    places = []
    for place in curve:
        tokens, foretold, half = place["tokens"], place["loss"], place["half_width"]
        before = [row for row in log if row["tokens"] <= tokens]
        if not before or (seen[-1] < tokens and seen[-1] + stride <= tokens):
            continue  # not come to yet: another row will still lie before it
        near = [row["loss"] for row in before if row["tokens"] > tokens - window] or [before[-1]["loss"]]
        mean = sum(near) / len(near)
        inside = None if half is None else abs(mean - foretold) <= half
        places.append({"tokens": tokens, "foretold": foretold, "half_width": half, "loss": mean, "inside": inside})
    began = real.stage("pretrain").began()
    notes = [] if began is None else differences(_terms(began["settings"]), asked)
    return {"run": real.uri, "tokens": seen[-1] if seen else 0, "places": places, "notes": notes}


def _terms(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The terms and shards a run began with, as training wrote them down; config.yaml is what the last command was given."""
    config = build(TrainConfig, {name: settings[name] for name in ("seed", "model", "pretrain")})
    return {**terms(config), "shards": settings["encode"]}


def lines(found: Mapping[str, Any]) -> list[str]:
    """The comparison for a person."""
    said = [f"{found['run']} has come to {found['tokens']:,} tokens"]
    for place in found["places"]:
        half, away = place["half_width"], place["loss"] - place["foretold"]
        interval = "" if half is None else f" +- {half:.4f}"
        verdict = "" if half is None else ", inside the interval" if place["inside"] else ", outside the interval"
        said.append(
            f"at {place['tokens']:,} tokens: {place['foretold']:.4f}{interval} foretold, {place['loss']:.4f} reached "
            f"({away:+.4f}{verdict})"
        )
    return [*said, *(f"mind that run's {note} as where the curve was foretold" for note in found["notes"])]
