"""muP transfer: the values found at the proxy's width as a complete training config of a wider model (report, Table 4)."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from core import storage
from core.config import ConfigError, load, plain
from core.line import foreign
from core.run import Run
from trainer.config import TrainConfig
from trainer.config.search import SEVEN
from trainer.model.mup import init_std, logit_scale, peak_lr
from trainer.search.combination import Combination

CHOSEN = "chosen.json"
PREDICTION = "prediction.json"
_SECTIONS = ("seed", "model", "parallel", "pretrain", "plan")
_MATRIX = "layers.0.attention.qkv.q"


def carry(combination: Combination, proxy: TrainConfig, target: TrainConfig) -> TrainConfig:
    """The target's config with the values, and with the proxy's base width: m, and all that follows from it, is the model's
    own business. Raises ConfigError where muP says nothing about the pair."""
    base = proxy.model.base_hidden or proxy.model.hidden
    if proxy.model.tied != target.model.tied:
        raise ConfigError(f"model.tied = {proxy.model.tied} in the proxy, {target.model.tied} in the target; make them alike.")
    return combination.laid_on(replace(target, model=replace(target.model, base_hidden=base)))


def effective(config: TrainConfig) -> dict[str, float]:
    """What a config's values are at its own width, by the names of the report's Table 4."""
    model, optimizer, low = config.model, config.pretrain.optimizer, config.pretrain.schedule.minimum
    vector, matrix = peak_lr("vector-like", model, optimizer), peak_lr("matrix-like", model, optimizer)
    return {
        "Learning Rate": vector,
        "Matrix Learning Rate": matrix,
        "Minimum Learning Rate": vector * low,
        "Minimum Matrix Learning Rate": matrix * low,
        "Standard Deviation": init_std("embedding.weight", model) or 0.0,
        "Matrix Standard Deviation": init_std(_MATRIX, model) or 0.0,
        "Input Mult": model.input_mult,
        "Output Mult": logit_scale(model),
    }


def doubts(proxy: TrainConfig, target: TrainConfig) -> list[str]:
    """What differs between the two beside the width, over which muP does not carry."""
    pairs = {
        "model.layers": (proxy.model.layers, target.model.layers),
        "hidden / heads": (proxy.model.head_dim, target.model.head_dim),
        "model.context": (proxy.model.context, target.model.context),
        "pretrain.batch": (proxy.pretrain.batch, target.pretrain.batch),
        "pretrain.optimizer.beta2": (proxy.pretrain.optimizer.beta2, target.pretrain.optimizer.beta2),
        "pretrain.optimizer.weight_decay": (proxy.pretrain.optimizer.weight_decay, target.pretrain.optimizer.weight_decay),
        "pretrain.schedule.kind": (proxy.pretrain.schedule.kind, target.pretrain.schedule.kind),
    }
    return [f"{name}: {here} in the proxy, {there} in the target" for name, (here, there) in pairs.items() if here != there]


def chosen(config: TrainConfig, run: Run) -> tuple[Combination, str]:
    """The combination to carry, and where it comes from."""
    uri = run.stage("search").path(CHOSEN)
    found, origin = Combination.of(config), "the proxy's config"
    if storage.exists(uri):
        found, origin = Combination(**storage.read_json(uri)["combination"]), uri
    given = config.transfer.combination
    if len(given) == len(SEVEN):
        origin = "transfer.combination"
    elif given:
        origin += f" ({', '.join(given)} by transfer.combination)"
    return found.but(given), origin


def foretold(made: TrainConfig, combination: Combination, run: Run) -> TrainConfig:
    """The config with the curve that RUN/predict has for this very model and combination, which its monitor then watches."""
    uri = run.stage("predict").path(PREDICTION)
    if not storage.exists(uri):
        return made
    found = storage.read_json(uri)
    if found["combination"] != combination.values() or found["target"]["hidden"] != made.model.hidden:
        return made
    margin = max((place["half_width"] or 0.0 for place in found["curve"]), default=0.0)
    monitor = made.pretrain.monitor
    monitor = replace(monitor, predicted=found["predicted"], interval=max(monitor.interval, margin))
    return replace(made, pretrain=replace(made.pretrain, monitor=monitor))


def target_of(path: str | None) -> TrainConfig:
    if path is None:
        raise ConfigError("transfer.target is not set; give the training config of the model that the values are for.")
    return load(path, [], TrainConfig, foreign("trainer"))


def transfer(config: TrainConfig) -> Path:
    """Writes RUN/transfer/config.yaml, which `make pretrain CONFIG=` takes, and effective.json; returns the former's path."""
    run = Run(config.run)
    run.prepare()
    run.record(plain(config))
    target = target_of(config.transfer.target)
    combination, origin = chosen(config, run)
    made = foretold(carry(combination, config, target), combination, run)
    values, notes = effective(made), doubts(config, target)
    head = [
        f"# {config.transfer.target} with the values of {origin},",
        f"# carried from width {config.model.hidden} to {made.model.hidden} by muP, m = {made.model.width_ratio:g}:",
        *(f"#   {name:30} {value:.6g}" for name, value in values.items()),
        *(f"# Mind {note}: muP carries over widths alone." for note in notes),
    ]
    sections: dict[str, Any] = plain(made)
    body = yaml.safe_dump({name: sections[name] for name in _SECTIONS}, sort_keys=False, allow_unicode=True)
    directory = run.stage("transfer")
    storage.write_text(directory.path("config.yaml"), "\n".join(head) + "\n" + body)
    facts = {"combination": combination.values(), "from": origin, "target": config.transfer.target, "m": made.model.width_ratio}
    storage.write_json(directory.path("effective.json"), {**facts, "effective": values, "notes": notes})
    print("\n".join(head), file=sys.stderr)
    return Path(storage.local_path(directory.path("config.yaml")))
