"""Ranks: even, and independent between purposes."""

from __future__ import annotations

import numpy as np

from datapipe.mix.ranks import fraction, ranks

HASHES = np.arange(20_000, dtype=np.int64) * 7919 - 10**9


def test_ranks_are_even() -> None:
    places = np.array([fraction(rank) for rank in ranks(HASHES, "resample", 1).tolist()])
    assert ((0 <= places) & (places < 1)).all()
    assert np.abs(np.histogram(places, 10, (0, 1))[0] - 2_000).max() < 200


def test_purposes_draw_independently() -> None:
    one, other = (ranks(HASHES, purpose, 1) < 1 << 62 for purpose in ("resample", "train_tokenizer"))
    assert abs((one & other).mean() - 0.25) < 0.02
    assert np.array_equal(ranks(HASHES, "resample", 1), ranks(HASHES, "resample", 1))
    assert not np.array_equal(ranks(HASHES, "resample", 1), ranks(HASHES, "resample", 2))
