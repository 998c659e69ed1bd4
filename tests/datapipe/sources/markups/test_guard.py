"""Broken markup is refused before a parser sees it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.datapipe.sources.builders import read


@pytest.mark.parametrize(
    ("name", "mark"),
    [("wikitext", "{{a|"), ("wikitext", "<ref>"), ("wikitext", "{|\n"), ("latex", "\\begin{figure} "), ("latex", "\\emph{"),
     ("markdown", "<!--")],
)  # fmt: skip
def test_what_opens_and_never_closes_is_refused_before_a_parser_hangs_on_it(tmp_path: Path, name: str, mark: str) -> None:
    (tmp_path / "a.txt").write_text("Some words first. " + mark * 20_000)
    [made] = read(tmp_path / "a.txt", markup=name)
    assert made.verdict is not None and made.verdict.rule == "extract.broken_markup" and made.text == ""
