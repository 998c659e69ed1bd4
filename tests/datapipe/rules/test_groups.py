"""Documents are grouped for one view by language and bounds, in bounded runs, and only what is too long is left out."""

import pytest

from datapipe.document import Document, to_batch
from datapipe.rules import groups as room
from datapipe.rules.groups import groups
from tests.datapipe.rules.pages import bounds


def grouped(kinds: list[tuple[str, str, int]], longest: int = 100) -> list[tuple[str, str, list[int]]]:
    """The groups of documents given by (domain, language, characters), their set of bounds by name."""
    documents = [Document("made", str(n), domain, "x" * size, language) for n, (domain, language, size) in enumerate(kinds)]
    batch = to_batch(documents)
    names = {id(entry): name for name, entry in bounds().sets.items()}
    found = groups(batch, [document.text for document in documents], bounds(), longest)
    return [(names[id(entry)], language, rows) for entry, language, rows in found]


def test_a_group_has_one_language_and_one_set_of_bounds_and_every_row_is_in_one() -> None:
    kinds = [
        ("WebText", "en", 9),
        ("WebText", "zh", 9),
        ("WebText", "en", 9),
        ("ClassicalChinese", "zh", 9),
        ("Code", "code", 9),
    ]
    found = grouped(kinds)
    assert sorted(row for *_, rows in found for row in rows) == [0, 1, 2, 3, 4]
    assert [0, 2] in [rows for *_, rows in found]
    for name, language, rows in found:
        assert {(bounds().of(*kinds[row][:2]).name, kinds[row][1]) for row in rows} == {(name, language)}


def test_what_is_too_long_is_in_no_group() -> None:
    assert grouped([("WebText", "en", 100), ("WebText", "en", 101), ("WebText", "en", 1)])[0][2] == [0, 2]


def test_a_group_ends_where_its_view_would_grow_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "GROUP_CHARACTERS", 20)
    assert [rows for *_, rows in grouped([("WebText", "en", 9)] * 7)] == [[0, 1, 2], [3, 4, 5], [6]]
