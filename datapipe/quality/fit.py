"""fastText's training, alone in a process of its own: `python -m datapipe.quality.fit`, settings as JSON on stdin.

fastText 0.9.3 draws the first tenth of its input matrix for each thread and leaves the rest as malloc gave it. With the one
thread that determinism needs, nine tenths of a model start from whatever the process had in memory before: the same call
gives different models, or "Encountered NaN" at any learning rate. So training runs in a fresh process whose malloc fills
memory with zeros (`ENVIRONMENT`), where the same lines give the same model, byte for byte.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import fasttext

ENVIRONMENT = {"MALLOC_PERTURB_": "255"}  # glibc fills what it hands out with the complement of this byte


def fit(lines: str, model: str, rate: float, attempts: int, settings: dict[str, Any]) -> float:
    """Trains on a file of labelled lines and saves the model; returns the learning rate that it took.

    Raises RuntimeError where training gives NaN at every rate tried; each attempt halves it.
    """
    tried = rate
    for _ in range(attempts):
        try:
            fasttext.train_supervised(lines, lr=tried, thread=1, verbose=0, **settings).save_model(model)
            return tried
        except RuntimeError as error:
            if "NaN" not in str(error):
                raise
            tried /= 2
    raise RuntimeError(f"train_quality: fastText met NaN at learning rates from {rate} down to {tried * 2}.")


if __name__ == "__main__":
    print(json.dumps(fit(**json.load(sys.stdin))))
