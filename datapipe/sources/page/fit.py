"""Fits the networks that score a page's blocks to pages whose main text is known.

A block's label is the share of its words that stand in the true text in the same order (windows of words that cross blocks,
so that short lines count where their neighbours do); its weight is its length beside the page's true text, as an F1 of words
has it. The second network learns on scores of a first that has not seen the page. Same pages, same weights: full batches,
L-BFGS, no chance but the seed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import minimize

from datapipe.sources.page.blocks import Blocks
from datapipe.sources.page.features import measures
from datapipe.sources.page.scores import WEIGHTS, Array, Network, with_context

GUESS = 0.3
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W\u3040-\u30ff\u3400-\u9fff]+")


@dataclass
class Example:
    """The blocks of a page with labels and weights; the weights of pages of a group are made equal to other groups'."""

    blocks: Blocks
    title: str
    labels: Array
    weights: Array
    group: str
    fold: int


@dataclass(frozen=True)
class Settings:
    """Sizes of the fit: members of a committee, the share of pages that each sees, units a member, decay of weights, steps."""

    members: int = 4
    share: float = 0.8
    first: int = 16
    second: int = 8
    decay: float = 1e-3
    rounds: int = 100


def labels_by_text(blocks: Blocks, truth: str) -> tuple[Array, Array]:
    """(share of each block that is in the true text, weight)."""
    words = [_WORD.findall(text.lower()) for text in blocks.text]
    flat = [word for found in words for word in found]
    true = _WORD.findall(truth.lower())
    window = 6 if sum(len(word) == 1 for word in true) > len(true) / 2 else 4
    known = {tuple(true[at : at + window]) for at in range(len(true) - window + 1)}
    covered = np.zeros(len(flat), bool)
    for at in range(len(flat) - window + 1):
        if tuple(flat[at : at + window]) in known:
            covered[at : at + window] = True
    lines = {tuple(_WORD.findall(line.lower())) for line in truth.split("\n")}
    labels, at = np.zeros(len(words)), 0
    for place, found in enumerate(words):
        if found:
            labels[place] = 1.0 if tuple(found) in lines else covered[at : at + len(found)].mean()
        at += len(found)
    sizes = np.array([len(found) for found in words], float)
    return labels, np.minimum(sizes, 300) / (len(true) + 100) + 0.003


def labels_by_passages(blocks: Blocks, wanted: Sequence[str], unwanted: Sequence[str], guess: str) -> tuple[Array, Array]:
    """Labels where passages are all that is known; elsewhere what another extractor finds, at a smaller weight."""
    labels, weights = labels_by_text(blocks, guess)
    weights *= GUESS
    for passages, label in ((unwanted, 0.0), (wanted, 1.0)):
        for passage in passages:
            for place, text in enumerate(blocks.text):
                if passage in text or (len(text) > 20 and text in passage):
                    labels[place], weights[place] = label, 1 / (len(wanted) + len(unwanted))
    return labels, weights


def fit(examples: Sequence[Example], settings: Settings = Settings()) -> list[Network]:
    """Both networks; see the module."""
    found = [measures(example.blocks, example.title) for example in examples]
    values = [one.values for one in found]
    groups = {example.group for example in examples}
    total = {group: sum(float(e.weights.sum()) for e in examples if e.group == group) for group in groups}
    weights = [example.weights / total[example.group] for example in examples]
    labels = [example.labels for example in examples]

    def train(places: Sequence[int], inputs: Sequence[Array], units: int) -> Network:
        return _committee(
            [inputs[p] for p in places], [labels[p] for p in places], [weights[p] for p in places], units, settings
        )

    every = range(len(examples))
    parts = [[place for place in every if examples[place].fold == fold] for fold in (0, 1)]
    blind = [train(parts[1 - fold], values, settings.first) for fold in (0, 1)]
    wider = [with_context(found[place], blind[examples[place].fold](values[place])) for place in every]
    return [train(every, values, settings.first), train(every, wider, settings.second)]


def _committee(
    values: Sequence[Array], labels: Sequence[Array], weights: Sequence[Array], units: int, settings: Settings
) -> Network:
    """The mean of some networks, each fitted to other pages: one wider network."""
    everything = np.concatenate(values)
    centre = np.round(everything.mean(axis=0), 4)
    scale = np.round(1 / np.maximum(everything.std(axis=0), 0.05), 4)
    nothing = np.zeros(0)
    empty = Network(centre, scale, nothing, nothing, nothing, 0.0)
    inputs = [empty.inputs(one).astype(np.float32) for one in values]
    members = []
    for seed in range(settings.members):
        chance = np.random.default_rng(seed)
        pages = np.flatnonzero(chance.random(len(values)) < settings.share)
        x, y, w = (np.concatenate([column[int(page)] for page in pages]) for column in (inputs, labels, weights))
        members.append(_train(x, y, w, units, settings, chance))
    first, bias, out, last = zip(*members, strict=True)
    joined = (np.concatenate(first, axis=1), np.concatenate(bias), np.concatenate(out) / settings.members)
    hidden, biases, outer = (np.round(part * 256) / 256 for part in joined)
    return Network(centre, scale, hidden, biases, outer, float(np.round(np.mean(last) * 256) / 256))


def _train(
    inputs: Array, labels: Array, weights: Array, units: int, settings: Settings, chance: np.random.Generator
) -> tuple[Any, ...]:
    """The parts of one network by full-batch L-BFGS on cross-entropy."""
    weights = (weights / weights.sum()).astype(np.float32)
    width = inputs.shape[1]
    start = np.concatenate(
        [chance.normal(0, width**-0.5, width * units), np.zeros(units), chance.normal(0, units**-0.5, units), [0.0]]
    )

    def loss(flat: Array) -> tuple[float, Array]:
        first, bias, out, last = _parts(flat.astype(np.float32), width, units)
        active = np.maximum(inputs @ first + bias, 0)
        logits = active @ out + last
        value = float((weights * (np.logaddexp(0, logits) - labels * logits)).sum()) + settings.decay * float((flat**2).sum())
        slope = (weights * (1 / (1 + np.exp(-logits)) - labels)).astype(np.float32)
        back = (slope[:, None] * out) * (active > 0)
        parts = [(inputs.T @ back).ravel(), back.sum(axis=0), active.T @ slope, [slope.sum()]]
        return value, np.concatenate(parts).astype(float) + 2 * settings.decay * flat

    best = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": settings.rounds}).x
    return _parts(best, width, units)


def _parts(flat: Array, width: int, units: int) -> tuple[Any, ...]:
    cut = width * units
    return flat[:cut].reshape(width, units), flat[cut : cut + units], flat[cut + units : cut + 2 * units], flat[-1]


def write(fitted: Sequence[Network]) -> None:
    """Into the package, as the weights that every page is scored by."""
    rows = [
        {name: np.asarray(getattr(network, name)).tolist() for name in ("centre", "scale", "hidden", "bias", "out", "out_bias")}
        for network in fitted
    ]
    Path(str(WEIGHTS)).write_text(json.dumps(rows, separators=(",", ":")) + "\n")
