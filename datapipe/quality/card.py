"""From samples to a model and its card: trained on some hosts, calibrated on others, measured on yet others."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np

from datapipe.config import TrainQualityConfig
from datapipe.quality.baselines import Sample, form_only, labels_of, source_only, unseen_domains
from datapipe.quality.measures import Floats, auc, calibration, platt, quantiles, sigmoid
from datapipe.quality.model import Recipe, Scorer, train
from datapipe.quality.split import CALIBRATE, FEW, TEST, TRAIN, split_hosts
from datapipe.quality.windows import FILE


def make(samples: list[Sample], config: TrainQualityConfig, seed: int) -> tuple[Scorer | None, dict[str, Any]]:
    """The scorer of a language and its card; no scorer, and the reason on the card, where there is too little to learn from.

    `samples` must come in an order that depends on their content alone: it is the order of training.
    """
    samples = capped(samples, config.per_host)
    classes = {True: [s for s in samples if s.positive], False: [s for s in samples if not s.positive]}
    card: dict[str, Any] = {"trained": False, "documents": {_name(kind): len(own) for kind, own in classes.items()}}
    short = [_name(kind) for kind, own in classes.items() if len(own) < config.minimum]
    if short:
        return None, {**card, "reason": f"fewer than {config.minimum} {' and '.join(short)} documents; all pass unfiltered"}
    sides: dict[str, str] = {}
    known: dict[str, str] = {}
    notes = []
    for kind, own in classes.items():
        alone = one_by_one(own, config.held_out)
        notes += [f"{_name(kind)} documents of {', '.join(sorted(alone))} are split one by one"] if alone else []
        owners = [sample.id if sample.host in alone else sample.host for sample in own]
        given = split_hosts(owners, config.held_out, seed, known)
        known.update(given)
        sides.update({sample.id: given[owner] for sample, owner in zip(own, owners, strict=True)})
    parts = {side: [sample for sample in samples if sides[sample.id] == side] for side in (TRAIN, CALIBRATE, TEST)}
    lines = [(sample.positive, line) for sample in parts[TRAIN] for line in sample.lines]
    recipe = Recipe(config.dim, config.epochs, config.rate, config.ngrams, config.min_count, config.bucket, seed)
    model, rate = train(lines, recipe)
    raw = Scorer(model, 1.0, 0.0, config.windows, config.window)
    slope, shift = platt(raw.raw_lines([s.lines for s in parts[CALIBRATE]]), labels_of(parts[CALIBRATE]))
    scorer = Scorer(model, slope, shift, config.windows, config.window)
    unseen = [sample for sample in samples if sides[sample.id] != TRAIN and not sample.positive]
    card.update(
        trained=True,
        reason="; ".join(notes),
        split={side: _sides(part) for side, part in parts.items()},
        learning_rate=rate,
        training_lines=len(lines),
        calibrated={"slope": slope, "shift": shift},
        unseen_hosts=_measured(scorer, parts[TEST], parts[TRAIN]),
        unseen_domains=unseen_domains(samples, sides, recipe, config) if config.unseen_domains else {},
        crawl_quantiles=quantiles(_scores(scorer, unseen)),
    )
    return scorer, card


def capped(samples: list[Sample], per_host: int) -> list[Sample]:
    """The first `per_host` samples of each class and host, in order."""
    seen: Counter[tuple[bool, str]] = Counter()
    kept = []
    for sample in samples:
        seen[sample.positive, sample.host] += 1
        if seen[sample.positive, sample.host] <= per_host:
            kept.append(sample)
    return kept


def one_by_one(samples: list[Sample], held_out: float) -> set[str]:
    """The hosts of a class whose documents must be split one by one: all where there are too few of them to hold any out,
    and files that are no host at all but a collection, too large to be held out whole."""
    sizes = Counter(sample.host for sample in samples)
    if len(sizes) < FEW:
        return set(sizes)
    return {name for name, size in sizes.items() if name.startswith(FILE) and size > held_out / 2 * len(samples)}


def _name(positive: bool) -> str:
    return "positive" if positive else "negative"


def _sides(samples: list[Sample]) -> dict[str, dict[str, int]]:
    counts = {}
    for kind in (True, False):
        own = [sample for sample in samples if sample.positive == kind]
        counts[_name(kind)] = {"documents": len(own), "hosts": len({sample.host for sample in own})}
    return counts


def _scores(scorer: Scorer, samples: list[Sample]) -> Floats:
    return sigmoid(scorer.slope * scorer.raw_lines([sample.lines for sample in samples]) + scorer.shift)


def _measured(scorer: Scorer, samples: list[Sample], training: list[Sample]) -> dict[str, Any]:
    """AUC on hosts that training has not seen, beside what length, form or source alone would give, and by positive domain."""
    labels, scores = labels_of(samples), _scores(scorer, samples)
    lengths = np.array([math.log1p(sample.characters) for sample in samples])
    first = _scores(scorer, [Sample(s.positive, s.id, s.host, s.domain, 0, s.lines[:1]) for s in samples])
    by_length = auc(lengths[labels], lengths[~labels])
    domains = Counter(sample.domain for sample in samples if sample.positive)
    of = np.array([sample.domain for sample in samples])
    return {
        "auc": _rounded(auc(scores[labels], scores[~labels])),
        "auc_one_window": _rounded(auc(first[labels], first[~labels])),
        "auc_length_only": _rounded(max(by_length, 1 - by_length)),
        "auc_form_only": _rounded(form_only(training, samples)),
        "auc_source_only": _rounded(source_only(training, samples)),
        "auc_by_positive_domain": {
            name: _rounded(auc(scores[labels & (of == name)], scores[~labels])) for name in sorted(domains)
        },
        "calibration": calibration(scores, labels),
    }


def _rounded(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 4)
