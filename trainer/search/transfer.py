"""muP transfer: the values found at the proxy's width as a complete training config of a wider model (report, Table 4)."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
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
from trainer.search.trials import LEVERS, record, with_its_end

CHOSEN = "chosen.json"
PREDICTION = "prediction.json"
_INITIAL = ("init_std", "init_std_matrix", "init_bound", "init_seed", "residual_init")
_MATRIX = "layers.0.attention.qkv.q"


def base_width(config: TrainConfig) -> int:
    """The width at which a proxy's values stand (m = 1)."""
    return config.model.base_hidden or config.model.hidden


def carry(combination: Combination, proxy: TrainConfig, target: TrainConfig) -> TrainConfig:
    """The target's config with the values, and with the proxy's base width: m, and all that follows from it, is the model's
    own business. Raises ConfigError where muP says nothing about the pair."""
    if proxy.model.tied != target.model.tied:
        raise ConfigError(f"model.tied = {proxy.model.tied} in the proxy, {target.model.tied} in the target; make them alike.")
    return combination.laid_on(replace(target, model=replace(target.model, base_hidden=base_width(proxy))))


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
    proxy, target = with_its_end(proxy), with_its_end(target)
    here, there = proxy.pretrain, target.pretrain
    pairs = {
        "model.layers": (proxy.model.layers, target.model.layers),
        "hidden / heads": (proxy.model.head_dim, target.model.head_dim),
        "model.context": (proxy.model.context, target.model.context),
        "pretrain.batch": (here.batch, there.batch),
        "pretrain.ramp": (here.ramp, there.ramp),
        "pretrain.optimizer.beta2": (here.optimizer.beta2, there.optimizer.beta2),
        "pretrain.optimizer.weight_decay": (here.optimizer.weight_decay, there.optimizer.weight_decay),
        "pretrain.schedule.kind": (here.schedule.kind, there.schedule.kind),
        "pretrain.schedule.unit": (here.schedule.unit, there.schedule.unit),
        "pretrain.schedule.warmup": (here.schedule.warmup, there.schedule.warmup),
        "pretrain.schedule.length": (here.schedule.length, there.schedule.length),
    }
    return [f"{name}: {one} in the proxy, {other} in the target" for name, (one, other) in pairs.items() if one != other]


def shape(model: Mapping[str, Any]) -> dict[str, Any]:
    """What of a network's settings says which network it is: all but how its weights were drawn."""
    return {f"model.{name}": value for name, value in model.items() if name not in _INITIAL}


def terms(config: TrainConfig) -> dict[str, Any]:
    """The terms on which a curve of loss by tokens is foretold, beside the network: batch, schedule to its end, optimizer."""
    pretrain = with_its_end(config).pretrain
    kept = {"batch": pretrain.batch, "ramp": pretrain.ramp, "schedule": pretrain.schedule, "optimizer": pretrain.optimizer}
    return dict(_flat(plain(kept), "pretrain"))


def differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """The settings in which two networks or terms differ: `name: one, not other`."""
    names = dict.fromkeys((*one, *other))
    return [f"{name}: {one.get(name)}, not {other.get(name)}" for name in names if one.get(name) != other.get(name)]


def _flat(tree: Mapping[str, Any], where: str) -> Iterator[tuple[str, Any]]:
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{where}.{name}")
        else:
            yield f"{where}.{name}", value


def chosen(config: TrainConfig, run: Run) -> tuple[Combination, str]:
    """The combination to carry, and where it comes from."""
    uri = run.stage("search").path(CHOSEN)
    found, origin = Combination.of(config), "the proxy's config"
    if storage.exists(uri) and len(config.transfer.combination) < len(SEVEN):
        written = storage.read_json(uri)
        if written.get("base_hidden") != base_width(config):
            raise ConfigError(
                f"model.base_hidden: {uri} chose its values at width {written.get('base_hidden', 'unknown')}, this config's "
                f"stand at {base_width(config)}; take that search's config, or run `make search` with this one (trials stay)."
            )
        found, origin = Combination(**written["combination"]), uri
        if other := other_shards(written, run):
            origin += f", which {other}"
    given = config.transfer.combination
    if len(given) == len(SEVEN):
        origin = "transfer.combination"
    elif given:
        origin += f" ({', '.join(given)} by transfer.combination)"
    return found.but(given), origin


def other_shards(written: Mapping[str, Any], run: Run) -> str:
    """Why what a search or a prediction wrote is not for the shards that the run has now; empty where it is."""
    if "encode" not in written:
        return "does not say on which shards it was made"
    encode = run.stage("encode")
    now = (encode.manifest() or {}).get("fingerprint")
    return "" if now == written["encode"] else f"was made on other shards than {encode.uri} holds now"


def foretold(made: TrainConfig, combination: Combination, run: Run) -> tuple[TrainConfig, list[str]]:
    """The config with the curve that RUN/predict has for this very network on these very terms and shards, which its
    monitor then watches; or as it was, and why that curve is for another training."""
    uri = run.stage("predict").path(PREDICTION)
    if not storage.exists(uri):
        return made, []
    found = storage.read_json(uri)
    if other := other_shards(found, run):
        return made, [f"{uri} {other}; run `make predict` again"]
    if found["combination"] != combination.values():
        return made, [f"{uri} is for other values of the seven"]
    vocabulary = found["target"]["model"]["vocab"] if made.model.vocab is None else made.model.vocab
    here = {**shape(plain(replace(made.model, vocab=vocabulary))), **terms(made)}
    if differ := differences({**shape(found["target"]["model"]), **found["terms"]}, here):
        return made, [f"{uri} is for {one}" for one in differ]
    margin = max((place["half_width"] or 0.0 for place in found["curve"]), default=0.0)
    monitor = made.pretrain.monitor
    monitor = replace(monitor, predicted=found["predicted"], interval=max(monitor.interval, margin))
    return replace(made, pretrain=replace(made.pretrain, monitor=monitor)), []


def target_of(path: str | None) -> TrainConfig:
    if path is None:
        raise ConfigError("transfer.target is not set; give the training config of the model that the values are for.")
    return load(path, [], TrainConfig, foreign("trainer"))


def transfer(config: TrainConfig) -> str:
    """Writes RUN/transfer/config.yaml, which `make pretrain CONFIG=` takes, and effective.json; returns the former's URI."""
    run = Run(config.run)
    run.prepare()
    record(config, run)
    target = target_of(config.transfer.target)
    combination, origin = chosen(config, run)
    made, unwatched = foretold(carry(combination, config, target), combination, run)
    values, notes = effective(made), doubts(config, target)
    head = [
        f"# {config.transfer.target} with the values of {origin},",
        f"# carried from width {config.model.hidden} to {made.model.hidden} by muP, m = {made.model.width_ratio:g}:",
        *(f"#   {name:30} {value:.6g}" for name, value in values.items()),
        *(f"# Mind {note}: muP carries over widths alone." for note in notes),
        *(f"# No foretold curve is watched: {reason}." for reason in unwatched),
    ]
    sections = {name: value for name, value in plain(made).items() if name not in ("run", *LEVERS)}
    body = yaml.safe_dump(sections, sort_keys=False, allow_unicode=True)
    directory = run.stage("transfer")
    storage.write_text(directory.path("config.yaml"), "\n".join(head) + "\n" + body)
    facts = {"combination": combination.values(), "from": origin, "target": config.transfer.target, "m": made.model.width_ratio}
    storage.write_json(directory.path("effective.json"), {**facts, "effective": values, "notes": [*notes, *unwatched]})
    print("\n".join(head), file=sys.stderr)
    return directory.path("config.yaml")
