"""Every token of every document is predicted once, whatever the windows."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from trainer.evaluate.measure import Score, measure
from trainer.evaluate.windows import Cut, Piece, Windows

START, END = 1, 2


def documents(lengths: list[int]) -> dict[str, list[Piece]]:
    made, next_id = [], 10
    for length in lengths:
        made.append(Piece("en", 4 * length, np.arange(next_id, next_id + length)))
        next_id += length
    return {"Book": made}


@given(
    st.lists(st.integers(1, 25), min_size=1, max_size=6),
    st.integers(1, 9),
    st.integers(1, 9),
    st.booleans(),
    st.booleans(),
    st.integers(1, 4),
)
def test_each_token_is_predicted_once_and_in_order(
    lengths: list[int], context: int, stride: int, packed: bool, ends: bool, size: int
) -> None:
    text = documents(lengths)
    windows = Windows(text, Cut(START, END, context, min(stride, context), packed, ends))
    found: list[tuple[int, int]] = []
    for batch in windows.batches("Book", size):
        for row in range(len(batch.tokens)):
            targets = batch.tokens[row, 1:]
            found += zip(batch.document[row][batch.mask[row]].tolist(), targets[batch.mask[row]].tolist(), strict=True)
    expected = [
        (number, int(token)) for number, piece in enumerate(text["Book"]) for token in [*piece.ids, *([END] if ends else [])]
    ]
    assert found == expected
    assert windows.documents("Book")["tokens"].tolist() == [length + ends for length in lengths]


def rows(cut: Cut, lengths: list[int]) -> list[list[int]]:
    """What each window reads, without the padding."""
    (batch,) = Windows(documents(lengths), cut).batches("Book", 99)
    return [tokens[: int(mask.nonzero()[0][-1]) + 2].tolist() for tokens, mask in zip(batch.tokens, batch.mask, strict=True)]


def test_blocked_windows_begin_with_the_token_before_their_first_target() -> None:
    assert rows(Cut(START, END, 4, 4, True, True), [5, 2]) == [[1, 10, 11, 12, 13], [13, 14, 2, 15, 16], [16, 2]]


def test_sliding_windows_see_as_much_as_the_context_holds() -> None:
    assert rows(Cut(START, END, 4, 2, False, False), [7]) == [[1, 10, 11, 12, 13], [11, 12, 13, 14, 15], [12, 13, 14, 15, 16]]


def test_the_last_window_of_a_document_by_itself_reaches_back_to_be_full() -> None:
    assert rows(Cut(START, END, 4, 4, False, False), [5]) == [[1, 10, 11, 12, 13], [10, 11, 12, 13, 14]]


def test_a_document_by_itself_sees_nothing_of_the_one_before() -> None:
    assert rows(Cut(START, END, 8, 8, False, False), [3, 2]) == [[1, 10, 11, 12], [1, 13, 14]]


def test_a_last_end_that_is_not_predicted_is_no_window_of_its_own() -> None:
    asked: list[tuple[int, ...]] = []
    heard: list[int] = []

    def losses(tokens: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        asked.append(tuple(targets.shape))
        return torch.ones(targets.shape)

    windows = Windows(documents([8]), Cut(START, END, 8, 8, True, False))
    found = measure(losses, windows, "Book", 1, torch.device("cpu"), heard.append)
    assert found == {"en": Score(8.0, 8, 32)} and asked == [(8, 1)]
    assert sum(heard) == windows.windows("Book") == 1


@pytest.mark.parametrize("ends", [True, False])
def test_ends_are_read_but_not_predicted_where_they_should_not_be(ends: bool) -> None:
    windows = Windows(documents([2, 2]), Cut(START, END, 8, 8, True, ends))
    (batch,) = windows.batches("Book", 1)
    assert batch.tokens[0, :7].tolist() == [1, 10, 11, 2, 12, 13, 2]
    assert int(batch.mask.sum()) == (6 if ends else 4)
