"""Training a fastText classifier and scoring documents with it.

The same input gives the same model: one thread (fastText's others race), a fixed seed, lines in the order of their hashes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import fasttext
import numpy as np
from numpy.typing import NDArray

from core import storage
from datapipe.quality.fit import ENVIRONMENT
from datapipe.quality.measures import Floats, logit, sigmoid
from datapipe.quality.windows import windows

POSITIVE, NEGATIVE = "__label__reference", "__label__crawl"
ATTEMPTS = 5  # learning rates tried, each half of the one before, where training gives NaN


@dataclass(frozen=True)
class Recipe:
    """fastText's settings; see TrainQualityConfig."""

    dim: int
    epochs: int
    rate: float
    ngrams: int
    min_count: int
    bucket: int
    seed: int


def train(lines: Sequence[tuple[bool, str]], recipe: Recipe) -> tuple[fasttext.FastText._FastText, float]:
    """A model from (is positive, tokens) lines, and the learning rate that it took; see `fit` for why in another process.

    Raises RuntimeError with what that process said where it fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        path, model = os.path.join(folder, "lines.txt"), os.path.join(folder, "model.bin")
        with open(path, "w", encoding="utf-8") as handle:
            handle.writelines(f"{POSITIVE if positive else NEGATIVE} {line}\n" for positive, line in lines)
        settings = {
            "dim": recipe.dim, "epoch": recipe.epochs, "wordNgrams": recipe.ngrams, "minCount": recipe.min_count,
            "bucket": recipe.bucket, "seed": recipe.seed,
        }  # fmt: skip
        given = {"lines": path, "model": model, "rate": recipe.rate, "attempts": ATTEMPTS, "settings": settings}
        environment = {**os.environ, **ENVIRONMENT, "PYTHONPATH": os.pathsep.join(entry or "." for entry in sys.path)}
        command = [sys.executable, "-m", "datapipe.quality.fit"]
        done = subprocess.run(command, input=json.dumps(given), env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"train_quality: fastText's process failed: {done.stderr.strip()[-2000:]}")
        return fasttext.load_model(model), float(json.loads(done.stdout))


@dataclass(frozen=True)
class Scorer:
    """A model with its calibration: documents to scores from 0 (crawl) to 1 (reference)."""

    model: fasttext.FastText._FastText
    slope: float
    shift: float
    windows: int
    window: int

    def raw(self, texts: Sequence[str]) -> Floats:
        """Mean logit over the windows of each text."""
        lines = [windows(text, self.windows, self.window) for text in texts]
        return self.raw_lines(lines)

    def raw_lines(self, lines: Sequence[Sequence[str]]) -> Floats:
        """The same from windows that are already cut: one list of lines a document."""
        flat = [f"{line}\n" for own in lines for line in own]
        if not flat:
            return np.zeros(len(lines))
        # The binding's own predict fails with numpy 2; what it calls does not.
        labels, shares = self.model.f.multilinePredict(flat, 2, 0.0, "strict")
        chance = np.array([_positive(names, given) for names, given in zip(labels, shares, strict=True)])
        owner = np.repeat(np.arange(len(lines)), [len(own) for own in lines])
        return np.asarray(np.bincount(owner, logit(chance), len(lines)) / np.bincount(owner, minlength=len(lines)))

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Calibrated scores [N]."""
        return sigmoid(self.slope * self.raw(texts) + self.shift).astype(np.float32)


def _positive(labels: Sequence[str], shares: Sequence[float]) -> float:
    """The positive label's probability; a line without a known token has no labels and says nothing."""
    return next((float(share) for label, share in zip(labels, shares, strict=True) if label == POSITIVE), 0.5)


def save(model: fasttext.FastText._FastText, uri: str) -> None:
    with storage.aside(uri) as path:
        model.save_model(path)


@lru_cache(maxsize=8)
def load(uri: str, version: str) -> fasttext.FastText._FastText:
    """A model from its URI, once for each worker process; `version` tells one file from another under the same name."""
    if storage.is_local(uri):
        return fasttext.load_model(storage.local_path(uri))
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.bin")
        with storage.open_uri(uri) as source, open(path, "wb") as target:
            target.write(source.read())
        return fasttext.load_model(path)
