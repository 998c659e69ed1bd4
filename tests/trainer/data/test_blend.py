"""Which sequence comes when: fixed by data and seed alone, whatever the ranks, the batches and the restarts."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trainer.data import made
from trainer.config import PretrainConfig
from trainer.data import Blend, TokenData, segments
from trainer.data.stream import DomainStream
from trainer.parallel.collectives import TensorGroup
from trainer.parallel.ranks import Ranks

LENGTHS = {"WebText": [[7, 12, 3, 30], [9, 9], [41, 2, 5]], "Code": [[25, 8]], "Book": [[120]]}
PROPORTIONS = {"WebText": 75.21, "Code": 9.81, "Book": 7.17}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> TokenData:
    return made.write(tmp_path_factory.mktemp("encode"), LENGTHS, PROPORTIONS, epochs={"Code": 2.0})


@given(pieces=st.lists(st.integers(0, 9), min_size=1, max_size=6), start=st.integers(0, 400))
def test_batch_sizes_and_restarts_do_not_change_the_sequences(data: TokenData, pieces: list[int], start: int) -> None:
    whole, domains = Blend(data, context=16, seed=3).sequences(start, sum(pieces))
    resumed = Blend(data, context=16, seed=3)
    at, parts = start, []
    for piece in pieces:
        parts.append(resumed.sequences(at, piece))
        at += piece
    assert np.array_equal(np.concatenate([part[0] for part in parts]), whole)
    assert np.array_equal(np.concatenate([part[1] for part in parts]), domains)


@pytest.mark.parametrize("ranks", [1, 2, 4])
def test_the_sequences_of_a_step_are_the_same_for_any_number_of_ranks(data: TokenData, ranks: int) -> None:
    step = 8
    reference, _ = Blend(data, 16, seed=3).sequences(5 * step, step)
    blends = [Blend(data, 16, seed=3) for _ in range(ranks)]
    share = step // ranks
    got = [blend.sequences(5 * step + rank * share, share)[0] for rank, blend in enumerate(blends)]
    assert np.array_equal(np.concatenate(got), reference)


def place(data_rank: int, ranks: int) -> Ranks:
    """A data rank of a layout with nothing else in it."""
    return Ranks(data_rank, 0, 1, data_rank, ranks, TensorGroup(), None, None, torch.device("cpu"))


@pytest.mark.parametrize("batch", [8, 16])
@pytest.mark.parametrize("ranks", [1, 2, 4])
def test_a_run_sees_the_same_sequences_with_any_ranks_and_batches_and_after_a_restart(
    data: TokenData, ranks: int, batch: int
) -> None:
    whole, domains = Blend(data, 16, seed=3).sequences(0, 96)
    steps = PretrainConfig(batch=batch, ramp=[[3, 4]], steps=1000)
    blend, seen, seen_domains, step = Blend(data, 16, seed=3), [], [], 0
    while steps.sequences_through(step) < 60:
        start, count = steps.sequences_through(step), steps.batch_at(step + 1)
        for rank in range(ranks):
            rows = place(rank, ranks).rows(count)
            tokens, of = blend.sequences(start + rows.start, rows.stop - rows.start)
            seen.append(tokens)
            seen_domains.append(of)
        step += 1
        if step == 5:  # stopped here, and gone on with another batch: at the next sequence of the order
            done, blend = steps.sequences_through(step), Blend(data, 16, seed=3)
            steps = PretrainConfig(batch=24 - batch, ramp=[[3, 4], [5, batch]], steps=1000)
            assert steps.sequences_through(step) == done
    assert np.array_equal(np.concatenate(seen), whole[: steps.sequences_through(step)])
    assert np.array_equal(np.concatenate(seen_domains), domains[: steps.sequences_through(step)])


def test_another_seed_gives_another_order_and_another_hash(data: TokenData) -> None:
    one, other = Blend(data, 16, seed=1), Blend(data, 16, seed=2)
    assert one.hash != other.hash
    assert not np.array_equal(one.sequences(0, 20)[0], other.sequences(0, 20)[0])
    assert one.hash == Blend(data, 16, seed=1).hash


def test_the_hash_follows_the_mix(tmp_path: Path, data: TokenData) -> None:
    changed = made.write(tmp_path, LENGTHS, {**PROPORTIONS, "Code": 9.8}, epochs={"Code": 2.0})
    assert Blend(changed, 16, seed=1).hash != Blend(data, 16, seed=1).hash


def test_a_domain_shorter_than_a_window_is_repeated_inside_it(tmp_path: Path) -> None:
    small = made.write(tmp_path, {"Book": [[4]]}, {"Book": 1.0})
    tokens, _ = Blend(small, 10, seed=0).sequences(0, 1)
    assert tokens.tolist() == [[2, 8, 9, 10, 2, 8, 9, 10, 2, 8, 9]]


def test_epochs_seen_and_those_beyond_the_mix_follow_from_exact_tokens(data: TokenData) -> None:
    blend = Blend(data, context=16, seed=0)
    _, domains = blend.sequences(0, 50)
    assert blend.epochs(50)["WebText"] == pytest.approx((domains == 0).sum() * 16 / 118)
    # WebText: 118 tokens once for 81.6 % of the sequences; Code: 33 tokens twice for 10.6 %; Book: 120 for 7.8 %.
    past = next(n for n in range(1, 99) if blend.beyond(n))
    assert (domains[:past] == 0).sum() == 118 // 16 + 1 and domains[past - 1] == 0
    assert blend.beyond(past) == ["WebText 1.08 times (1 in the mix)"]
    assert [said.split()[0] for said in blend.beyond(100)] == ["WebText", "Code", "Book"]


@pytest.fixture(scope="module")
def mixes(tmp_path_factory: pytest.TempPathFactory) -> list[TokenData]:
    """One corpus in three mixes, the second of which leaves the books out."""
    shares = [PROPORTIONS, {"Code": 60.0, "WebText": 40.0}, {"WebText": 5.0, "Book": 80.0, "Code": 15.0}]
    return [made.write(tmp_path_factory.mktemp("mix"), LENGTHS, mix) for mix in shares]


@settings(max_examples=25)
@given(legs=st.lists(st.tuples(st.integers(0, 2), st.lists(st.integers(1, 9), min_size=1, max_size=5)), min_size=1, max_size=6))
def test_a_run_that_changes_its_mix_reads_each_domain_gapless_and_nothing_twice(
    mixes: list[TokenData], legs: list[tuple[int, list[int]]]
) -> None:
    """Legs are starts of one run, each with a mix (the same one or another) and batches of growing or any other size."""
    read: dict[str, int] = {}
    at, seen = 0, {name: list[np.ndarray]() for name in LENGTHS}
    for mix, batches in legs:
        blend = Blend(mixes[mix], context=16, seed=3)
        blend.go_on(at, read)
        for count in batches:
            tokens, domains = blend.sequences(at, count)
            for row, domain in zip(tokens, domains, strict=True):
                seen[blend.domains[domain]].append(row)
            at += count
        read = json.loads(json.dumps(blend.read(at)))
    assert read == {name: len(rows) for name, rows in seen.items() if rows or name in read}
    for domain in mixes[0].domains:
        stream = DomainStream(domain.name, domain.train, 16, 3, mixes[0].eos)
        for number, row in enumerate(seen[domain.name]):
            assert np.array_equal(row, stream.window(number)), (domain.name, number)
        if domain.name in blend.domains:
            assert blend.epochs(at)[domain.name] == pytest.approx(len(seen[domain.name]) * 16 / domain.train_tokens)


def test_a_run_that_keeps_its_mix_has_the_order_of_one_that_never_stopped(data: TokenData) -> None:
    whole, gone_on = Blend(data, 16, seed=3), Blend(data, 16, seed=3)
    gone_on.go_on(37, whole.read(37))
    assert np.array_equal(gone_on.sequences(37, 50)[0], whole.sequences(37, 50)[0])
    assert gone_on.epochs(99) == whole.epochs(99) and gone_on.beyond(99) == whole.beyond(99) != []


def test_segments_number_the_documents_of_a_sequence() -> None:
    tokens = np.array([[5, 6, 2, 7, 2, 8], [2, 2, 5, 5, 5, 5]])
    assert segments(tokens, eos=2).tolist() == [[0, 0, 0, 1, 1, 2], [0, 1, 2, 2, 2, 2]]
