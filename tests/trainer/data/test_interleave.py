"""The order of domains: shares, and the same order from any entry."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from trainer.data.interleave import Interleave

weights = st.lists(st.floats(1e-3, 1.0), min_size=1, max_size=11)

# The proportions of the report's Table 1.
TABLE_1 = [75.21, 9.81, 7.17, 2.87, 2.12, 0.99, 1.04, 0.62, 0.14, 0.02, 0.02]


@given(weights, st.integers(0, 5_000), st.lists(st.integers(0, 60), min_size=1, max_size=8))
def test_any_cut_into_pieces_gives_the_same_order(shares: list[float], start: int, pieces: list[int]) -> None:
    order = Interleave(shares)
    domains, numbers = order.take(start, sum(pieces))
    at, cut = start, []
    for piece in pieces:
        cut.append(order.take(at, piece))
        at += piece
    assert np.concatenate([part[0] for part in cut]).tolist() == domains.tolist()
    assert np.concatenate([part[1] for part in cut]).tolist() == numbers.tolist()


@given(weights, st.integers(1, 3_000))
def test_each_domains_sequences_come_in_turn_and_in_their_share(shares: list[float], count: int) -> None:
    order = Interleave(shares)
    domains, numbers = order.take(0, count)
    for domain, weight in enumerate(order.weights):
        own = numbers[domains == domain]
        assert own.tolist() == list(range(len(own)))
        assert abs(len(own) - weight * count) <= 0.5 + weight * len(shares) / 2 + 1e-6
    assert order.counts(count).tolist() == np.bincount(domains, minlength=len(shares)).tolist()


def test_the_shares_of_table_1_are_met_within_a_thousandth_from_early_on() -> None:
    order = Interleave(TABLE_1)
    domains, _ = order.take(0, 100_000)
    counts = np.cumsum(np.eye(len(TABLE_1), dtype=np.int64)[domains], axis=0)
    seen = np.arange(1, len(domains) + 1)[:, None]
    error = np.abs(counts / seen - order.weights)
    assert error[4_000:].max() < 0.001


def test_far_into_a_run_of_two_trillion_tokens_the_order_is_there_at_once() -> None:
    order = Interleave(TABLE_1)
    domains, numbers = order.take(488_281_250, 1_344)
    assert abs((domains == 0).sum() - 1_344 * order.weights[0]) < 10
    assert abs(numbers[domains == 0][0] / order.weights[0] - 488_281_250) < 20
