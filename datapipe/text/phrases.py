"""Fixed phrases in lines: how often they occur, at which end, and how much of the line they are.

Each phrase is one substring search over a whole batch (about 1 GB/s), which is far faster than an alternation of regular
expressions over each line. Lines that can matter are first gathered by `on_lines`, so that long prose is not searched for
the names of buttons.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from datapipe.text.view import TextView


def on_lines(view: TextView, chosen: np.ndarray, measure: Callable[[TextView], np.ndarray]) -> np.ndarray:
    """A measure of documents, taken of the chosen lines (bool [lines]) as if each were a document; 0 for other lines."""
    result = np.zeros(len(view.lines))
    if chosen.any():
        result[chosen] = measure(view.of_lines(chosen))
    return result


def lines_with(view: TextView, words: Iterable[str]) -> np.ndarray:
    """Which lines hold any of some lower-case phrases, bool [lines]."""
    found = np.zeros(len(view.lines), bool)
    for word in words:
        found |= view.lines.count_at(view.find(word)) > 0
    return found


def occurrences(view: TextView, phrases: Iterable[str]) -> np.ndarray:
    """How often any of some lower-case phrases occurs in each document, float64 [documents]."""
    return sum((view.documents.count_at(view.find(phrase)) for phrase in phrases), np.zeros(len(view)))


def begins(view: TextView, phrases: Iterable[str]) -> np.ndarray:
    """Documents whose first words are one of some phrases, bool [documents]."""
    found = np.zeros(len(view), bool)
    for phrase in phrases:
        documents, at = _whole_words(view, phrase)
        found[documents[at == view.documents.starts[documents]]] = True
    return found


def ends(view: TextView, phrases: Iterable[str]) -> np.ndarray:
    """Documents whose last words are one of some phrases, whatever marks follow them, bool [documents]."""
    found = np.zeros(len(view), bool)
    for phrase in phrases:
        documents, at = _whole_words(view, phrase)
        last = view.words.ends[view.words_of_documents.ends[documents] - 1]
        found[documents[at + len(phrase) == last]] = True
    return found


def _whole_words(view: TextView, phrase: str) -> tuple[np.ndarray, np.ndarray]:
    """(document, position) of each occurrence that ends where a word ends."""
    at = view.find(phrase)
    if not len(at):
        return at, at
    word = np.minimum(np.searchsorted(view.words.ends, at + len(phrase)), len(view.words) - 1)
    at = at[view.words.ends[word] == at + len(phrase)]
    return view.documents.owner(at), at
