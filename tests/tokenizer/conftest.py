"""One small vocabulary for all tests of the tokenizer, trained on lines made here."""

from __future__ import annotations

import pytest
from tokenizers import Tokenizer

from tokenizer.config import TokenizerConfig
from tokenizer.train import train

SMALL = TokenizerConfig(vocabulary=460, spares=8)


def lines() -> list[str]:
    """English, Chinese and code, with enough repetition for some hundred merges."""
    english = [f"The {noun} of the river ran to {number} mills." for noun in ("water", "bank") for number in range(60)]
    chinese = [f"第{number}章:江水东流,渔人在岸边等候天明,远山如画。" for number in range(60)]
    code = [f"def step_{number}(value):\n    return value + {number}\n" for number in range(60)]
    words = [" ".join(f"{a}{b}ing" for b in ("ar", "el", "or", "und", "ist")) for a in "bdfgklmnprstvwz"]
    return english + chinese + code + words * 3


@pytest.fixture(scope="session")
def tokenizer() -> Tokenizer:
    return train(lines(), SMALL)
