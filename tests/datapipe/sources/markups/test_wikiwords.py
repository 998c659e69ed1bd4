"""The names of an article's closing sections end it, each of them in each language."""

from __future__ import annotations

import pytest

from datapipe.sources.markups.wikitext import to_text
from datapipe.sources.markups.wikiwords import ALSO_SUBJECTS, END_SECTIONS
from datapipe.text.language import LANGUAGES


@pytest.mark.parametrize("language", LANGUAGES)
def test_references_and_what_follows_them_go_in_each_language(language: str) -> None:
    assert len(END_SECTIONS[language]) >= 5
    for heading in END_SECTIONS[language]:
        later = "" if heading in ALSO_SUBJECTS else "== More ==\nNever seen."
        assert to_text(f"Text.\n\n== {heading.capitalize()} ==\n* A book\n\n{later}") == "Text."
