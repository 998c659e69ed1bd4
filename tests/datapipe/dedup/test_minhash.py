"""MinHash: the same bits as datasketch, and estimates whose spread is what the mathematics says."""

import datasketch
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datapipe.dedup.minhash import EMPTY, MinHash, Scheme, deviation, estimate, sketches
from datapipe.dedup.shingles import ShingleSets
from tests.datapipe.dedup.builders import SETS, stored


@pytest.mark.parametrize("scheme", ["affine32", "legacy"])
@given(sets=SETS, permutations=st.integers(1, 40), seed=st.integers(0, 5))
@settings(max_examples=40, deadline=None)
def test_signatures_equal_datasketch_bit_for_bit(scheme: Scheme, sets: list[set[int]], permutations: int, seed: int) -> None:
    ours = MinHash(permutations, 1, permutations, scheme, seed).sign(stored(sets))
    for row, entry in enumerate(sets):
        theirs = datasketch.MinHash(permutations, seed=seed, hashfunc=int, scheme=scheme)
        theirs.update_batch(sorted(entry))
        assert ours[row].tolist() == theirs.hashvalues.tolist()


def test_many_documents_and_one_long_one_are_signed_alike_in_any_block() -> None:
    draw = np.random.default_rng(0)
    sizes = [3, 0, 700_000, 5, 1, 0]
    hashes = [np.unique(draw.integers(0, 2**32, size, dtype=np.uint32)) for size in sizes]
    family = MinHash(24, 4, 6)
    both = family.sign(ShingleSets(np.concatenate(hashes), np.cumsum([0] + [len(part) for part in hashes])))
    for row, part in enumerate(hashes):
        assert (both[row] == family.sign(ShingleSets(part, np.array([0, len(part)])))[0]).all()
    assert (both[1] == EMPTY).all()


def test_estimates_come_near_the_truth() -> None:
    family = MinHash(1200, 20, 60)
    draw = np.random.default_rng(1)
    shared, one, other = (draw.integers(0, 2**32, size, dtype=np.uint32) for size in (800, 100, 100))
    pair = [np.unique(np.concatenate([shared, part])) for part in (one, other)]
    signatures = family.sign(ShingleSets(np.concatenate(pair), np.cumsum([0] + [len(part) for part in pair])))
    short = sketches(signatures)
    assert estimate(short[0], short[1:], 1200)[0] == pytest.approx(0.8, abs=0.04)


@given(st.integers(1, 40), st.lists(st.integers(0, 2**32 - 1), min_size=2, max_size=2))
def test_sketches_count_the_minima_whose_low_bits_differ(permutations: int, ends: list[int]) -> None:
    one, other = (np.random.default_rng(end).integers(0, 2**32, permutations, dtype=np.uint32) for end in ends)
    pair = sketches(np.stack([one, other]))
    assert pair.shape == (2, -(-permutations // 16))
    unequal = sum((a ^ b) & 15 != 0 for a, b in zip(one.tolist(), other.tolist(), strict=True))
    assert estimate(pair[0], pair[1:], permutations)[0] == pytest.approx(1 - unequal / permutations * 16 / 15)


def test_the_spread_of_the_estimate_is_what_it_is_in_trials() -> None:
    draw = np.random.default_rng(3)
    one = draw.integers(0, 2**32, (4000, 120), dtype=np.uint32)
    other = np.where(draw.random(one.shape) < 0.8, one, draw.integers(0, 2**32, one.shape, dtype=np.uint32))
    found = estimate(sketches(one), sketches(other), 120)
    assert found.mean() == pytest.approx(0.8, abs=0.003)
    assert found.std() == pytest.approx(deviation(0.8, 120), rel=0.05)


def test_bands_agree_where_their_rows_do_and_know_their_number() -> None:
    family = MinHash(12, 3, 4)
    one = np.arange(12, dtype=np.uint32)[None, :]
    other = one.copy()
    other[0, 5] += 1
    same = family.band_hashes(one)[0] == family.band_hashes(other)[0]
    assert same.tolist() == [True, False, True]
    constant = family.band_hashes(np.zeros((1, 12), np.uint32))[0]
    assert len(set(constant.tolist())) == 3


def test_twenty_bands_of_six_find_four_fifths() -> None:
    assert MinHash().probability(0.8) == pytest.approx(0.998, abs=0.001)
    assert MinHash(112, 14, 8).probability(0.8) == pytest.approx(0.92, abs=0.005)
