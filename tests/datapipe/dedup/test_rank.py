"""Ranks: the survivor order as bytes."""

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datapipe.dedup.rank import SIZE, binary, identity, matrix, ranks

DOCUMENTS = st.lists(
    st.tuples(
        st.one_of(st.none(), st.floats(0, 1, width=32)),
        st.integers(0, 2**33),
        st.one_of(st.none(), st.dates().map(str)),
        st.integers(0, 2**128 - 1).map("{:032x}".format),
    ),
    min_size=1,
    max_size=12,
)


@given(DOCUMENTS)
@settings(max_examples=80, deadline=None)
def test_bytes_sort_as_quality_then_length_then_date_then_id(documents: list[tuple]) -> None:
    quality, lengths, dates, ids = map(list, zip(*documents, strict=True))
    column = ranks(ids, quality, lengths, dates).to_pylist()
    assert all(len(rank) == SIZE for rank in column)
    assert [identity(rank) for rank in column] == ids

    def stated(row: int) -> tuple:
        score = -2.0 if quality[row] is None else -quality[row]
        return score, -min(lengths[row], 2**32 - 1), dates[row] or "9999-99-99", ids[row]

    assert sorted(range(len(ids)), key=column.__getitem__) == sorted(range(len(ids)), key=stated)


def test_dates_are_read_by_their_day_and_a_date_that_says_nothing_comes_last() -> None:
    dates = ["2012-03-04T05:06:07Z", "20120305", "2012-03", "2012", None, "yesterday"]
    column = ranks([f"{n:032x}" for n in range(6)], [None] * 6, [1] * 6, dates).to_pylist()
    assert sorted(column) == column


def test_matrices_and_columns_of_bytes_turn_into_each_other() -> None:
    column = pa.array([b"abc", b"\0\0\1", b"xyz"])
    assert binary(matrix(column, 3)).to_pylist() == column.to_pylist()
    assert matrix(column.slice(1), 3).tolist() == [[0, 0, 1], [120, 121, 122]]
    assert binary(matrix(column.slice(0, 0), 3)).to_pylist() == []
    with pytest.raises(ValueError, match="another length"):
        matrix(pa.array([b"abcd", b"ab"]), 3)
