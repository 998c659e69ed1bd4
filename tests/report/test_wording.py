"""Numbers as a reader wants them."""

from __future__ import annotations

import pytest

from report import wording


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "–"),
        (0.44, "0.4 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (3725, "1 h 02 min"),
        (200_000, "2 d 7 h"),
    ],
)
def test_durations(seconds: float | None, words: str) -> None:
    assert wording.duration(seconds) == words


@pytest.mark.parametrize(
    ("value", "words"), [(0, "0 B"), (999, "999 B"), (2500, "2.5 kB"), (999_900, "1000 kB"), (5.9e12, "5.9 TB")]
)
def test_sizes(value: float, words: str) -> None:
    assert wording.size(value) == words


@pytest.mark.parametrize(
    ("value", "words"), [(9_999, "9,999"), (12_345, "12.3 k"), (11_640_588, "11.6 M"), (2e12, "2 T"), (0.5, "0.5")]
)
def test_large_counts(value: float, words: str) -> None:
    assert wording.compact(value) == words


def test_a_share_of_nothing_is_not_a_number() -> None:
    assert wording.percent(0, 0) == "–"
    assert wording.percent(1, 3) == "33.3 %"
