"""Gopher's repetition rules (Rae et al. 2021, section A1.1, "Repetition removal").

Shares of characters are of the characters in words, and n-grams are counted without the spaces between their words: with
spaces in the numerator alone, as some public pipelines have them, Chinese ratios are inflated. Case is folded. In Chinese an
n-gram is n characters. Lines and paragraphs count as duplicates from their second occurrence on.
"""

from __future__ import annotations

import numpy as np

from datapipe.rules.registry import rule
from datapipe.text.spans import Spans, ratio
from datapipe.text.view import TextView

TOP = (2, 3, 4)
DUPLICATED = (5, 6, 7, 8, 9, 10)


@rule("repetition.duplicate_lines")
def duplicate_lines(view: TextView) -> np.ndarray:
    """Share of lines that occurred before in the document (the paper: at most 0.30)."""
    return ratio(view.lines_of_documents.count(_line_repeats(view)), view.lines_of_documents.lengths)


@rule("repetition.duplicate_line_characters")
def duplicate_line_characters(view: TextView) -> np.ndarray:
    """Share of the lines' characters in lines that occurred before (the paper: at most 0.20)."""
    return _share_of_characters(view.lines, view.lines_of_documents, _line_repeats(view))


@rule("repetition.duplicate_paragraphs")
def duplicate_paragraphs(view: TextView) -> np.ndarray:
    """Share of paragraphs that occurred before (the paper: at most 0.30)."""
    owner = view.paragraphs_of_documents
    return ratio(owner.count(repeats(view, view.paragraphs, owner)), owner.lengths)


@rule("repetition.duplicate_paragraph_characters")
def duplicate_paragraph_characters(view: TextView) -> np.ndarray:
    """Share of the paragraphs' characters in paragraphs that occurred before (the paper: at most 0.20)."""
    owner = view.paragraphs_of_documents
    return _share_of_characters(view.paragraphs, owner, repeats(view, view.paragraphs, owner))


def repeats(view: TextView, units: Spans, owner: Spans) -> np.ndarray:
    """Which units (lines, paragraphs) equal an earlier one of their document, bool [units]."""
    hashes = view.hashes(units)
    document = np.repeat(np.arange(len(owner)), owner.lengths)
    order = np.lexsort((hashes, document))
    same = (hashes[order][1:] == hashes[order][:-1]) & (document[order][1:] == document[order][:-1])
    found = np.zeros(len(units), bool)
    found[order[1:][same]] = True  # lexsort is stable: of equal units the first comes first
    return found


def _line_repeats(view: TextView) -> np.ndarray:
    return repeats(view, view.lines, view.lines_of_documents)


def _share_of_characters(units: Spans, owner: Spans, chosen: np.ndarray) -> np.ndarray:
    return ratio(owner.sum(np.where(chosen, units.lengths, 0)), owner.sum(units.lengths))


def _register_ngrams() -> None:
    for n in TOP:

        def top(view: TextView, n: int = n) -> np.ndarray:
            return view.ngrams.top(n)

        top.__doc__ = f"Share of characters in the most frequent {n}-gram (the paper: 2 .20, 3 .18, 4 .16)."
        rule(f"repetition.top_{n}gram")(top)
    for n in DUPLICATED:

        def duplicated(view: TextView, n: int = n) -> np.ndarray:
            return view.ngrams.duplicated(n)

        duplicated.__doc__ = f"Share of characters in repeated {n}-grams (the paper: 5 .15 down to 10 .10)."
        rule(f"repetition.duplicate_{n}grams")(duplicated)


_register_ngrams()
