"""Meeting in buckets: pairs within reach are found, work stays bounded, and batches leave no trace."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datapipe.config import DedupDocumentsConfig
from datapipe.dedup.meet import Meeting, Reach
from datapipe.dedup.rank import SIZE

REACH = Reach(pair=0.6, near=0.9, leaders=3, partners=2, permutations=80)
KINDS = np.random.default_rng(0).integers(0, 2**64, (6, 5), dtype=np.uint64)  # six sketches, each unlike the others


def rows(buckets: list[list[int]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Buckets of documents given by the kind of their signature; ranks count up."""
    band = np.repeat(np.arange(len(buckets)), [len(bucket) for bucket in buckets])
    kinds = [kind for bucket in buckets for kind in bucket]
    ranks = np.zeros((len(kinds), SIZE), np.uint8)
    ranks[:, -1] = np.arange(len(kinds))
    return band, ranks, KINDS[kinds].reshape(-1, 5)


def run(buckets: list[list[int]], cuts: list[int], reach: Reach = REACH) -> tuple[list[tuple[int, int]], list[int]]:
    band, ranks, sketches = rows(buckets)
    meeting = Meeting(reach)
    pairs, overflow = [], []
    for part in np.split(np.arange(len(band)), sorted(cut for cut in cuts if cut <= len(band))):
        met = meeting.batch(band[part], ranks[part], sketches[part])
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
    band, ranks, sketches = rows([[0, 0, 0]])
    sketches = sketches.copy()
    sketches.view(np.uint8)[1:, :10] ^= 0x11  # agrees with the first in three quarters: within reach, not surely near
    met = Meeting(REACH).batch(band, ranks, sketches)
    assert sorted(zip(met.leader[:, -1].tolist(), met.member[:, -1].tolist(), strict=True)) == [(0, 1), (0, 2), (1, 2)]


def test_of_many_leaders_within_reach_the_most_alike_are_partners() -> None:
    band, ranks, sketches = rows([[0] * 4])
    sketches = sketches.copy()
    for row, changed in enumerate((slice(0, 10), slice(10, 16), slice(20, 24))):
        sketches.view(np.uint8)[row, changed] ^= (
            0x11  # each unlike the last row by a quarter, 15 % and a tenth; less like each other
        )
    met = Meeting(Reach(pair=0.7, near=0.95, leaders=3, partners=2, permutations=80)).batch(band, ranks, sketches)
    assert [pair for pair in zip(met.leader[:, -1].tolist(), met.member[:, -1].tolist(), strict=True) if pair[1] == 3] == [
        (2, 3),
        (1, 3),
    ]


@given(st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=9), max_size=6), st.lists(st.integers(0, 40), max_size=4))
@settings(max_examples=80, deadline=None)
def test_batches_leave_no_trace(buckets: list[list[int]], cuts: list[int]) -> None:
    assert run(buckets, cuts) == run(buckets, [])


def test_margins_follow_from_the_number_of_permutations() -> None:
    reach = Reach.of(DedupDocumentsConfig(threshold=0.8, permutations=100, bands=10, rows=10, leaders=5))
    spread = (0.8125 * 0.1875 / 100) ** 0.5 * 16 / 15  # a share of 0.8 and a sixteenth of the rest agrees in four bits
    assert reach.pair == pytest.approx(0.8 - 3 * spread) and reach.near == pytest.approx(0.8 + 2.5 * spread)
    assert (reach.leaders, reach.permutations) == (5, 100)


def test_a_bucket_of_a_hundred_thousand_is_walked_in_batches_with_its_leaders_alone() -> None:
    draw = np.random.default_rng(1)
    kinds = draw.integers(0, 2**64, (500, 5), dtype=np.uint64)
    meeting = Meeting(Reach(pair=0.6, near=0.9, leaders=64, partners=4, permutations=80))
    pairs = overflow = 0
    for begin in range(0, 100_000, 10_000):
        ranks = np.zeros((10_000, SIZE), np.uint8)
        ranks[:, -4:] = np.arange(begin, begin + 10_000, dtype=">u4").view(np.uint8).reshape(-1, 4)
        met = meeting.batch(np.zeros(10_000, np.int64), ranks, kinds[draw.integers(0, 500, 10_000)])
        pairs, overflow = pairs + len(met.leader), overflow + len(met.overflow)
        assert meeting._open is not None and len(meeting._open.ranks) <= 64
    assert pairs + overflow == 100_000 - 64, "each is paired, leads, or is named as having found no room"
