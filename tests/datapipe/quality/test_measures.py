"""AUC, calibration and thresholds, against their definitions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datapipe.quality.measures import auc, calibration, platt, quantiles, sigmoid, threshold_for

SCORES = st.lists(st.sampled_from([0.1, 0.2, 0.5, 0.7]), min_size=1, max_size=12)


@given(SCORES, SCORES)
@settings(max_examples=50, deadline=None)
def test_auc_is_the_share_of_pairs_in_the_right_order(positive: list[float], negative: list[float]) -> None:
    pairs = [1.0 if a > b else 0.5 if a == b else 0.0 for a in positive for b in negative]
    assert auc(np.array(positive), np.array(negative)) == pytest.approx(sum(pairs) / len(pairs))


def test_platt_finds_the_slope_that_made_the_labels() -> None:
    draw = np.random.default_rng(0)
    scores = draw.normal(0, 3, 20_000)
    labels = draw.random(20_000) < sigmoid(0.4 * scores + 0.0)
    slope, shift = platt(scores, labels)
    assert slope == pytest.approx(0.4, abs=0.05) and shift == pytest.approx(0, abs=0.05)
    assert calibration(sigmoid(slope * scores + shift), labels)["error"] < 0.02
    assert calibration(sigmoid(5 * scores), labels)["error"] > 0.1, "a classifier too sure of itself is found out"


def test_platt_survives_data_without_overlap() -> None:
    slope, shift = platt(np.array([-9.0, -8, 8, 9]), np.array([False, False, True, True]))
    assert 0 < slope < 10 and abs(shift) < 1, (slope, shift)


def test_thresholds_keep_the_share_that_was_asked_for() -> None:
    scores = np.random.default_rng(1).random(5000)
    steps = quantiles(scores)
    for keep in (0.1, 0.5, 0.93, 1.0):
        assert (scores >= threshold_for(keep, steps)).mean() == pytest.approx(keep, abs=0.002)
