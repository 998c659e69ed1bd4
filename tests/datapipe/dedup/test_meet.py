"""Meeting in buckets: pairs within reach are found, work stays bounded, and batches leave no trace."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datapipe.dedup.meet import Meeting, Reach
from datapipe.dedup.rank import SIZE

REACH = Reach(pair=0.6, near=0.9, leaders=3)
KINDS = np.random.default_rng(0).integers(0, 256, (6, 40), dtype=np.uint8)  # six signatures, each unlike the others


def rows(buckets: list[list[int]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Buckets of documents given by the kind of their signature; ranks count up."""
    band = np.repeat(np.arange(len(buckets)), [len(bucket) for bucket in buckets])
    kinds = [kind for bucket in buckets for kind in bucket]
    ranks = np.zeros((len(kinds), SIZE), np.uint8)
    ranks[:, -1] = np.arange(len(kinds))
    return band, ranks, KINDS[kinds].reshape(-1, 40)


def run(buckets: list[list[int]], cuts: list[int], reach: Reach = REACH) -> tuple[list[tuple[int, int]], list[int]]:
    band, ranks, signatures = rows(buckets)
    meeting = Meeting(reach)
    pairs, overflow = [], []
    for part in np.split(np.arange(len(band)), sorted(cut for cut in cuts if cut <= len(band))):
        met = meeting.batch(band[part], ranks[part], signatures[part])
        pairs += list(zip(met.leader[:, -1].tolist(), met.member[:, -1].tolist(), strict=True))
        overflow += met.overflow[:, -1].tolist()
    return sorted(pairs), sorted(overflow)


def test_copies_meet_the_first_of_their_kind_only() -> None:
    assert run([[0, 0, 1, 0, 1, 2]], [])[0] == [(0, 1), (0, 3), (2, 4)]
    assert run([[0], [1, 1], [2, 3], [4]], [])[0] == [(1, 2)]


def test_a_bucket_of_copies_takes_one_comparison_each() -> None:
    pairs, overflow = run([[0] * 200], [])
    assert pairs == [(0, n) for n in range(1, 200)] and overflow == []


def test_documents_beyond_the_cap_are_named_and_still_compared_with_the_leaders() -> None:
    pairs, overflow = run([[0, 1, 2, 3, 4, 0, 3]], [])
    assert pairs == [(0, 5)]
    assert overflow == [3, 4, 6]


def test_a_document_that_is_only_perhaps_near_is_passed_on_and_leads_too() -> None:
    band, ranks, signatures = rows([[0, 0, 0]])
    signatures = signatures.copy()
    signatures[1:, :10] ^= 1  # agrees with the first in three quarters: within reach, not surely near
    met = Meeting(REACH).batch(band, ranks, signatures)
    assert sorted(zip(met.leader[:, -1].tolist(), met.member[:, -1].tolist(), strict=True)) == [(0, 1), (0, 2), (1, 2)]


@given(st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=9), max_size=6), st.lists(st.integers(0, 40), max_size=4))
@settings(max_examples=80, deadline=None)
def test_batches_leave_no_trace(buckets: list[list[int]], cuts: list[int]) -> None:
    assert run(buckets, cuts) == run(buckets, [])


def test_margins_follow_from_the_number_of_permutations() -> None:
    reach = Reach.of(0.8, 100, 5)
    assert reach.pair == pytest.approx(0.68) and reach.near == pytest.approx(0.9)
