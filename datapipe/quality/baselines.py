"""What a quality classifier must be better than: telling lengths, forms and sources apart.

Positives come from other sources than negatives, so a model may learn where a text is from and nothing about how good it is.
Three baselines and one check stand beside its AUC: length alone, form alone (marks, digits, variety of tokens), source alone
(whose text it is), and the AUC on a positive domain of which training saw nothing.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datapipe.config import TrainQualityConfig
from datapipe.quality.measures import Floats, auc, logistic
from datapipe.quality.model import Recipe, Scorer, train
from datapipe.quality.split import TRAIN

LEAST = 5  # documents of a side below which an AUC says nothing


@dataclass(frozen=True)
class Sample:
    """A document as the classifier is given it: its side, whose text it is, its length and its windows."""

    positive: bool
    id: str
    host: str
    domain: str
    characters: int
    lines: list[str]


def labels_of(samples: list[Sample]) -> NDArray[np.bool_]:
    return np.array([sample.positive for sample in samples], np.bool_)


def form(samples: list[Sample]) -> Floats:
    """What can be told of documents without reading a word [6, N]: length, length of tokens, shares of marks, of digits and
    of distinct tokens, and a constant. A classifier worth its name gains over these."""
    rows = []
    for sample in samples:
        tokens = " ".join(sample.lines).split()
        count = max(1, len(tokens))
        marks = sum(not token[0].isalnum() for token in tokens) / count
        digits = sum(token[0].isdigit() for token in tokens) / count
        length = sum(map(len, tokens)) / count
        rows.append([math.log1p(sample.characters), length, marks, digits, len(set(tokens)) / count, 1.0])
    return np.array(rows, np.float64).reshape(-1, 6).T


def form_only(training: list[Sample], samples: list[Sample]) -> float:
    """AUC of a logistic regression on the form alone, trained and measured on the same documents as the classifier."""
    known, given = form(training), form(samples)
    mean, scale = known.mean(axis=1, keepdims=True), known.std(axis=1, keepdims=True)
    mean[-1], scale[scale == 0] = 0.0, 1.0
    weights = logistic((known - mean) / scale, labels_of(training), np.zeros(len(known)))
    scores, labels = weights @ ((given - mean) / scale), labels_of(samples)
    return auc(scores[labels], scores[~labels])


def source_only(training: list[Sample], samples: list[Sample]) -> float:
    """AUC of knowing whose text it is and nothing else: the share of positives among the training documents of the same host,
    one half for a host that training has not seen. Above 0.5 only where a collection had to be split document by document."""
    seen = Counter(sample.host for sample in training)
    good = Counter(sample.host for sample in training if sample.positive)
    scores = np.array([(good[sample.host] + 1) / (seen[sample.host] + 2) for sample in samples])
    labels = labels_of(samples)
    return auc(scores[labels], scores[~labels])


def unseen_domains(
    samples: list[Sample], sides: Mapping[str, str], recipe: Recipe, config: TrainQualityConfig
) -> dict[str, dict[str, Any]]:
    """For each positive domain a model trained without it: its AUC on that whole domain against crawl of unseen hosts, and
    that of form alone. A domain without which too little is left to learn from, or that is the only one, is not measured."""
    found: dict[str, dict[str, Any]] = {}
    for name in sorted({sample.domain for sample in samples if sample.positive}):
        left_out = [sample for sample in samples if sample.positive and sample.domain == name]
        training = [s for s in samples if sides[s.id] == TRAIN and not (s.positive and s.domain == name)]
        against = [sample for sample in samples if sides[sample.id] != TRAIN and not sample.positive]
        if sum(s.positive for s in training) < config.minimum / 2 or min(len(left_out), len(against)) < LEAST:
            continue
        model, _ = train([(sample.positive, line) for sample in training for line in sample.lines], recipe)
        test = [*left_out, *against]
        scores = Scorer(model, 1.0, 0.0, config.windows, config.window).raw_lines([sample.lines for sample in test])
        labels = labels_of(test)
        found[name] = {
            "documents": len(left_out),
            "auc": round(auc(scores[labels], scores[~labels]), 4),
            "auc_form_only": round(form_only(training, test), 4),
        }
    return found
