"""FineWeb's own rules (Penedo et al. 2024, section 3.6): shapes of lines that tell lists and menus from prose."""

from __future__ import annotations

import numpy as np

from datapipe.rules.c4 import ends_a_sentence
from datapipe.rules.registry import rule
from datapipe.rules.repetition import duplicate_line_characters as repeated_line_characters
from datapipe.text.spans import ratio
from datapipe.text.view import TextView

SHORT_LINE = 30
"""Characters of a line that the paper calls short."""


@rule("fineweb.punctuated_lines")
def punctuated_lines(view: TextView) -> np.ndarray:
    """Share of lines that end in terminal punctuation (the paper: at least 0.12); closing quotation marks and brackets
    count, and the marks between the cells of a table do not hide an end."""
    owner = view.contents_of_documents
    return ratio(owner.count(ends_a_sentence(view, view.contents)), owner.lengths)


@rule("fineweb.short_lines")
def short_lines(view: TextView) -> np.ndarray:
    """Share of lines of at most 30 characters (the paper: at most 0.67)."""
    return ratio(view.lines_of_documents.count(view.lines.lengths <= SHORT_LINE), view.lines_of_documents.lengths)


@rule("fineweb.duplicate_line_characters")
def duplicate_line_characters(view: TextView) -> np.ndarray:
    """Share of characters in repeated lines (the paper: at most 0.01): Gopher's measure under a stricter threshold."""
    return repeated_line_characters(view)


@rule("fineweb.newlines_per_word")
def newlines_per_word(view: TextView) -> np.ndarray:
    """Line breaks per word (the paper: at most 0.3). Breaks between lines that hold text: blank lines, which depend on the
    extractor, do not count."""
    return ratio(np.maximum(view.lines_of_documents.lengths - 1, 0), view.words_of_documents.lengths)
