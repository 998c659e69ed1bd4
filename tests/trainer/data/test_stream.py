"""A domain without an end: each document whole and once an epoch, cut into windows that are shuffled in blocks."""

from __future__ import annotations

from collections import Counter
from typing import Any
from unittest import mock

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trainer.data import made
from trainer.data import TokenData
from trainer.data.stream import DomainStream
from trainer.data.token_data import ShardFacts

LENGTHS = {"WebText": [[7, 12, 3, 30], [9, 9], [41, 2, 5]], "Code": [[25, 8]], "Book": [[120]]}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> TokenData:
    return made.write(tmp_path_factory.mktemp("encode"), LENGTHS, dict.fromkeys(LENGTHS, 1.0))


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
