"""Files read together by one task: all of them, in their order, and no task with too much."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.storage import FileInfo
from datapipe.tables import together


@given(sizes=st.lists(st.integers(0, 50), max_size=40), most=st.integers(1, 60))
def test_small_files_are_read_together_and_a_large_one_alone(sizes: list[int], most: int) -> None:
    files = [FileInfo(f"{number:03d}", size, "") for number, size in enumerate(sizes)]
    groups = together(files, most)
    assert [uri for group in groups for uri in group] == [info.uri for info in files]
    for group in groups:
        assert group and (len(group) == 1 or sum(sizes[int(uri)] for uri in group) <= most)
