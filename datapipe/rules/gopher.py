"""Gopher's quality rules (Rae et al. 2021, section A1.1, "Quality filtering"), on words and lines.

Words are runs of letters and digits, so that punctuation neither counts as a word nor lengthens one (the paper does not
say; public implementations differ: white-space tokens, or a segmenter's tokens with punctuation).
"""

from __future__ import annotations

import numpy as np

from datapipe.rules.registry import rule
from datapipe.text.characters import BULLET, LETTER, SPACE
from datapipe.text.spans import ratio
from datapipe.text.view import TextView

STOP_WORDS = ("the", "be", "to", "of", "and", "that", "have", "with")
"""The paper's eight, for English."""


@rule("gopher.words")
def words(view: TextView) -> np.ndarray:
    """Words in the document (the paper: between 50 and 100,000)."""
    return view.words_of_documents.lengths.astype(np.float64)


@rule("gopher.mean_word_length")
def mean_word_length(view: TextView) -> np.ndarray:
    """Characters per word (the paper: between 3 and 10). In Chinese a word is one character: Latin runs alone raise it."""
    return ratio(view.word_characters, view.words_of_documents.lengths)


@rule("gopher.hashes_per_word")
def hashes_per_word(view: TextView) -> np.ndarray:
    """Hash signs per word (the paper: symbol-to-word ratio at most 0.1)."""
    return ratio(view.documents.count_at(view.positions("#")), view.words_of_documents.lengths)


@rule("gopher.ellipses_per_word")
def ellipses_per_word(view: TextView) -> np.ndarray:
    """Ellipses per word (the paper: at most 0.1). One is "…" (Chinese "……" is two) or a run of three or more dots."""
    return ratio(view.documents.count(_ellipses(view)), view.words_of_documents.lengths)


@rule("gopher.bullet_lines")
def bullet_lines(view: TextView) -> np.ndarray:
    """Share of lines that begin with a bullet (the paper: at most 0.9). "-", "–", "*" and "·" count before a space only,
    so that neither a negative number nor a dash of direct speech is an item."""
    starts = view.contents.starts
    first = view.codes[starts]
    bullet = (view.flags[starts] & BULLET) != 0
    ambiguous = np.isin(first, [ord(character) for character in "-–*·"])
    spaced = (view.flags[starts + 1] & SPACE) != 0  # a newline follows every document, so there is a next character
    return ratio(view.contents_of_documents.count(bullet & (spaced | ~ambiguous)), view.contents_of_documents.lengths)


@rule("gopher.ellipsis_lines")
def ellipsis_lines(view: TextView) -> np.ndarray:
    """Share of lines that end in an ellipsis (the paper: at most 0.3)."""
    last = view.contents.ends - 1
    ellipsis = (view.codes[last] == ord("…")) | _ellipses(view)[np.maximum(last - 2, 0)]
    return ratio(view.contents_of_documents.count(ellipsis), view.contents_of_documents.lengths)


@rule("gopher.alphabetic_tokens")
def alphabetic_tokens(view: TextView) -> np.ndarray:
    """Share of white-space tokens with at least one letter (the paper: at least 0.8 of words). Tokens, because in runs of
    letters and digits only numbers would lack one, and stray punctuation is what the rule is after."""
    with_letter = view.tokens.count(view.having(LETTER)) > 0
    tokens = view.documents.of(view.tokens)
    return ratio(tokens.count(with_letter), tokens.lengths)


@rule("gopher.stop_words", languages=("en",))
def stop_words(view: TextView) -> np.ndarray:
    """How many of the paper's eight English stop words occur (the paper: at least 2). Distinct ones count, as in most
    implementations: the paper's "contain at least two of the following"."""
    wanted = TextView.of(STOP_WORDS).word_hashes
    return sum((view.words_of_documents.count(view.word_hashes == word) > 0) for word in wanted) + np.zeros(len(view))


def _ellipses(view: TextView) -> np.ndarray:
    """True at "…", and at the third dot from the end of a run of three or more [characters]."""
    dots = np.append(view.codes == ord("."), [False, False, False])
    found: np.ndarray = view.codes == ord("…")
    found |= dots[:-3] & dots[1:-2] & dots[2:-1] & ~dots[3:]
    return found
