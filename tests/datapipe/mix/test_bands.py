"""Bands of quality: bins that rise with the score on any machine, bounds where the tokens are nearest to the shares."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.config import ConfigError
from datapipe.config import DomainShare, QualityBand
from datapipe.mix.bands import Bands, bins, cut, score_of

BANDS = {"high": QualityBand(0.2, 2.0), "middle": QualityBand(0.5, 1.0), "low": QualityBand(0.3, 0.4)}
scores = st.floats(0, 1, width=32)


@given(st.lists(scores, min_size=2, max_size=50))
def test_bins_rise_with_the_score(values: list[float]) -> None:
    ordered = np.array(sorted(values), np.float32)
    assert (np.diff(bins(ordered)) >= 0).all() and (bins(ordered) >= 0).all()


def test_scores_near_one_and_zero_are_told_apart_and_no_score_is_none() -> None:
    found = bins(np.array([1e-6, 2e-6, 0.5, 1 - 2e-6, 1 - 1e-6, np.nan], np.float32))
    assert len(set(found.tolist())) == 6 and found[-1] == -1


@given(st.lists(st.tuples(scores, st.integers(1, 500)), min_size=1, max_size=80))
def test_every_score_is_in_one_band_and_a_better_score_never_in_a_worse_one(rows: list[tuple[float, int]]) -> None:
    places = bins(np.array([score for score, _ in rows], np.float32)).tolist()
    counts: dict[int, int] = {}
    for place, (_, tokens) in zip(places, rows, strict=True):
        counts[place] = counts.get(place, 0) + tokens
    bands = Bands({"WebText": cut(counts.items(), BANDS)})
    order = [list(BANDS).index(bands.name("WebText", place).partition("/")[2]) for place in sorted(places)]
    assert order == sorted(order, reverse=True)
    assert bands.name("Code", 3) == "Code" and bands.name("WebText", -1) == "WebText/unscored"


def test_bands_hold_the_tokens_that_were_asked() -> None:
    draw = np.random.default_rng(3)
    places = bins(draw.beta(0.4, 0.6, 20_000).astype(np.float32))
    counts = dict(zip(*(column.tolist() for column in np.unique(places, return_counts=True)), strict=True))
    bands = Bands({"WebText": cut(counts.items(), BANDS)})
    names = [bands.name("WebText", place) for place in places.tolist()]
    for name, band in BANDS.items():
        assert names.count(f"WebText/{name}") / len(names) == pytest.approx(band.share, abs=0.01)


def test_the_bound_of_a_band_is_told_as_a_score() -> None:
    for score in (1e-5, 0.1, 0.5, 0.8, 0.9999):
        found = score_of(int(bins(np.array([score], np.float32))[0]))
        assert abs(found - score) <= 0.01 * min(score, 1 - score) + 1e-6


def test_shares_that_do_not_add_up_are_refused() -> None:
    with pytest.raises(ConfigError, match="must add up to 1; they are high 0.2, low 0.3"):
        DomainShare(proportion=1.0, quality={"high": BANDS["high"], "low": BANDS["low"]})
