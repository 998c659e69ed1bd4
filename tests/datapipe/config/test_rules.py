"""Bounds at their edges, and a list of words that is named before anything starts where it is missing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.config import ConfigError
from datapipe.config.rules import Bound
from tests.datapipe.rules.pages import config


def test_bounds_are_inclusive_and_name_the_limit_that_broke() -> None:
    bound = Bound(min=1, max=2)
    assert bound.broken(np.array([0.9, 1.0, 2.0, 2.1])).tolist() == [True, False, False, True]
    assert (bound.broken_by(0.5), bound.broken_by(1.5), bound.broken_by(3)) == (1, None, 2)


def test_a_list_that_is_missing_is_named_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="flagged_words.en: .*none.txt: no such file"):
        config(flagged_words={"en": [str(tmp_path / "none.txt")]}).files(None)
