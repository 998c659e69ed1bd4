"""Which sequence comes when: fixed by data and seed alone, each document whole and once an epoch."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trainer.data import made
from trainer.config import PretrainConfig
from trainer.data import Blend, TokenData, segments
from trainer.data.stream import DomainStream
from trainer.data.token_data import ShardFacts
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


@given(context=st.integers(1, 64), seed=st.integers(0, 5), epoch=st.integers(0, 3))
def test_an_epoch_holds_every_document_of_the_domain_whole_and_once(
    data: TokenData, context: int, seed: int, epoch: int
) -> None:
    for domain in data.domains:
        stream = DomainStream(domain.name, domain.train, context, seed, made.EOS)
        read = stream.read(epoch * stream.tokens, stream.tokens).tolist()
        ends = [-1] + [at for at, token in enumerate(read) if token == made.EOS]
        got = [tuple(read[a + 1 : b + 1]) for a, b in zip(ends, ends[1:], strict=False)]
        shards = [facts.open() for facts in domain.train]
        assert sorted(got) == sorted(tuple(shard[n].tolist()) for shard in shards for n in range(len(shard)))


def test_epochs_are_reshuffled(data: TokenData) -> None:
    stream = DomainStream("WebText", data.domain("WebText").train, 16, seed=0, eos=made.EOS)
    epochs = [stream.read(n * stream.tokens, stream.tokens).tolist() for n in range(4)]
    assert len({tuple(epoch) for epoch in epochs}) == 4


class Places(DomainStream):
    """A stream of so many tokens, each read as its place in the endless stream."""

    def __init__(self, tokens: int, context: int, seed: int = 0) -> None:
        super().__init__("Book", [ShardFacts("", 1, tokens, 0, {}, ())], context, seed, made.EOS)

    def read(self, start: int, count: int) -> npt.NDArray[Any]:
        return np.arange(start, start + count)


@given(context=st.integers(1, 40), seed=st.integers(0, 3), epochs=st.integers(1, 3))
@settings(max_examples=30)
def test_no_target_comes_more_often_than_there_were_epochs(data: TokenData, context: int, seed: int, epochs: int) -> None:
    for domain in data.domains:
        with mock.patch("trainer.data.stream._BLOCK", 4):
            stream = DomainStream(domain.name, domain.train, context, seed, made.EOS)
            windows = [stream.window(n)[1:] for n in range(epochs * stream.tokens // context)]
        seen = Counter(token for window in windows for token in window.tolist() if token != made.EOS)
        assert max(seen.values(), default=0) <= epochs


@given(tokens=st.integers(1, 300), context=st.integers(1, 40), epochs=st.integers(1, 5))
def test_windows_shuffled_in_blocks_leave_out_no_target_of_an_epoch(tokens: int, context: int, epochs: int) -> None:
    """The first floor(epochs x tokens / context) windows hold the first targets of the stream, each once."""
    with mock.patch("trainer.data.stream._BLOCK", 4):
        stream = Places(tokens, context)
        windows = [stream.window(n)[1:] for n in range(epochs * tokens // context)]
    assert sorted(place for window in windows for place in window.tolist()) == list(range(len(windows) * context))


def test_windows_of_an_epoch_lie_in_an_order_of_its_own() -> None:
    with mock.patch("trainer.data.stream._BLOCK", 30):
        stream = Places(tokens=70 * 8, context=8)
        orders = [[int(stream.window(70 * epoch + n)[1]) // 8 - 70 * epoch for n in range(70)] for epoch in range(3)]
    assert len({tuple(order) for order in orders}) == 3
    for order in orders:
        assert order != sorted(order) and [sorted(order[a : a + 30])[0] for a in (0, 30, 60)] == [0, 30, 60]


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


def test_segments_number_the_documents_of_a_sequence() -> None:
    tokens = np.array([[5, 6, 2, 7, 2, 8], [2, 2, 5, 5, 5, 5]])
    assert segments(tokens, eos=2).tolist() == [[0, 0, 0, 1, 1, 2], [0, 1, 2, 2, 2, 2]]
