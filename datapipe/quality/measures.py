"""How good a classifier is, and how to read its scores: AUC, calibration, thresholds for a wanted keep rate."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def auc(positive: Floats, negative: Floats) -> float:
    """Chance that a positive scores above a negative (ties count half); nan where either is empty."""
    if not len(positive) or not len(negative):
        return float("nan")
    order = np.sort(negative)
    below = np.searchsorted(order, positive, side="left") + np.searchsorted(order, positive, side="right")
    return float(below.sum() / (2 * len(positive) * len(negative)))


def logit(probability: Floats) -> Floats:
    clipped = np.clip(probability, 1e-6, 1 - 1e-6)
    return np.asarray(np.log(clipped / (1 - clipped)))


def sigmoid(value: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(value, -50, 50))))


def platt(scores: Floats, labels: NDArray[np.bool_]) -> tuple[float, float]:
    """a, b such that sigmoid(a * score + b) is the probability of a positive (Platt 1999, both classes weighing the same).

    fastText is far too sure of itself on few documents; this makes its scores mean what they say. A weak pull towards
    a = 1, b = 0 keeps separable data from giving an infinite slope.
    """
    slope, shift = logistic(np.stack([scores, np.ones_like(scores)]), labels, np.array([1.0, 0.0])).tolist()
    return max(slope, 1e-3), shift  # a slope of zero or below would turn the order of scores around


def logistic(inputs: Floats, labels: NDArray[np.bool_], start: Floats, pull: float = 1e-2, rounds: int = 50) -> Floats:
    """Weights [F] of a logistic regression on inputs [F, N] by Newton's method, drawn towards `start` by `pull`."""
    weights = _weights(labels)
    # Platt's targets: a class of n documents is certain to 1 - 1 / (n + 2), not to 1.
    target = np.where(labels, 1 - 1 / (labels.sum() + 2), 1 / ((~labels).sum() + 2))

    def loss(at: Floats) -> float:
        value = at @ inputs
        return float((weights * (np.logaddexp(0, value) - target * value)).sum() + pull / 2 * ((at - start) ** 2).sum())

    at = start
    for _ in range(rounds):
        given = sigmoid(at @ inputs)
        gradient = inputs @ (weights * (given - target)) + pull * (at - start)
        hessian = (inputs * (weights * given * (1 - given))) @ inputs.T + pull * np.eye(len(start))
        step = np.linalg.solve(hessian, gradient)
        while loss(at - step) > loss(at) and np.abs(step).max() > 1e-9:
            step /= 2  # where the scores saturate, a full Newton step shoots far past
        at = at - step
        if np.abs(step).max() < 1e-9:
            break
    return at


def _weights(labels: NDArray[np.bool_]) -> Floats:
    """One over the size of its class, halved: the classes weigh the same and all weights sum to one."""
    return np.asarray(np.where(labels, 0.5 / max(1, labels.sum()), 0.5 / max(1, (~labels).sum())))


def calibration(probability: Floats, labels: NDArray[np.bool_], bins: int = 10) -> dict[str, Any]:
    """Brier score, expected calibration error, and per bin: documents, mean score, share of positives.

    Both classes weigh the same, as in `platt`: the score answers "reference or crawl?" for a coin tossed between the two.
    """
    weights = _weights(labels)
    place = np.minimum((probability * bins).astype(int), bins - 1)
    rows, error = [], 0.0
    for number in range(bins):
        inside = place == number
        if weight := float(weights[inside].sum()):
            mean = float((weights * probability)[inside].sum() / weight)
            share = float(weights[inside & labels].sum() / weight)
            error += weight * abs(mean - share)
            rows.append({"documents": int(inside.sum()), "score": round(mean, 4), "positives": round(share, 4)})
    brier = float((weights * (probability - labels) ** 2).sum())
    return {"brier": round(brier, 4), "error": round(error, 4), "bins": rows}


def quantiles(scores: Floats) -> list[float]:
    """The scores that 0, 1, ... 100 % of these lie below; what `threshold_for` reads."""
    return [round(float(value), 6) for value in np.quantile(scores, np.linspace(0, 1, 101))] if len(scores) else []


def threshold_for(keep_rate: float, steps: list[float]) -> float:
    """The score above which `keep_rate` of the documents lie whose quantiles these are."""
    return float(np.interp(1 - keep_rate, np.linspace(0, 1, 101), steps))
