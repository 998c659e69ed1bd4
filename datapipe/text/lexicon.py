"""Lists of words and phrases, all of them found at once in a view, however many there are.

A phrase is a sequence of the view's words, so the view's own hashes find it: one look-up a word says whether a phrase may begin
there, and only those places (a few in a hundred) are compared further. Hence case is folded, an alphabet's words match whole
("class" does not hold a shorter word), Chinese ones match as substrings, and blanks or marks put between ("加 微-信") hide
nothing. A scan costs about 5 ns a word, where a search for each phrase costs that for every ten characters and phrase.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from datapipe.text.characters import mix
from datapipe.text.spans import Floats, Ints, Spans, ratio
from datapipe.text.view import TextView

_STEP = np.uint64(0xD6E8_FEB8_6659_FD93)
_LOW = np.uint64(0xFFFF)
_GAP = 3  # characters that may stand between two words of a phrase


@dataclass(frozen=True)
class Matches:
    """Where phrases stand in a view: which phrase [matches], and its first and one past its last word [matches]; ascending,
    and none inside another."""

    phrase: Ints
    words: Spans

    def characters(self, view: TextView) -> Spans:
        """The characters of each match, from its first word's start to its last word's end."""
        return Spans(view.words.starts[self.words.starts], view.words.ends[self.words.ends - 1])

    def within(self, owner: Spans) -> Spans:
        """The matches of each unit, where `owner` gives the words of units (of lines or of documents)."""
        return Spans(np.searchsorted(self.words.starts, owner.starts), np.searchsorted(self.words.starts, owner.ends))


class Lexicon:
    """Phrases with a weight each; immutable."""

    def __init__(self, phrases: Mapping[str, float]) -> None:
        """Phrases without any letter or digit are left out: nothing could find them."""
        listed = list(phrases)
        view = TextView.of(listed)
        sizes = view.words_of_documents.lengths
        self.phrases: tuple[str, ...] = tuple(phrase for phrase, size in zip(listed, sizes.tolist(), strict=True) if size)
        self.weights: Floats = np.array([phrases[phrase] for phrase in self.phrases], np.float64)
        self._may_end = np.zeros(1 << 16, bool)
        self._may_begin = np.zeros(1 << 16, bool)
        self._may_follow = np.zeros(1 << 16, bool)
        self._tables: dict[int, tuple[NDArray[np.uint64], Ints]] = {}
        number = np.cumsum(sizes > 0) - 1
        for size in np.unique(sizes[sizes > 0]).tolist():
            chosen = np.flatnonzero(sizes == size)
            first = view.words_of_documents.starts[chosen]
            hashes = _sequences(view.word_hashes, first, size)
            order = np.argsort(hashes)
            self._tables[size] = (hashes[order], number[chosen][order])
            begin = self._may_end if size == 1 else self._may_begin
            begin[view.word_hashes[first] & _LOW] = True
            if size > 1:
                self._may_follow[view.word_hashes[first + 1] & _LOW] = True

    def __len__(self) -> int:
        return len(self.phrases)

    def find(self, view: TextView) -> Matches:
        """Every phrase in a view; of those that lie in one another the longest."""
        low = (view.word_hashes & _LOW).astype(np.uint16)
        found: list[tuple[Ints, Ints, int]] = []
        if 1 in self._tables and len(low):
            at = np.flatnonzero(self._may_end[low])
            found.append((*self._known(view, at, 1), 1))
        if any(size > 1 for size in self._tables) and len(low) > 1:
            pairs = np.flatnonzero(self._may_begin[low[:-1]] & self._may_follow[low[1:]])
            pairs = pairs[view.words.starts[pairs + 1] - view.words.ends[pairs] <= _GAP]
            for size in self._tables:
                if size > 1:
                    found.append((*self._known(view, _unbroken(view, pairs, size), size), size))
        if not found:
            return Matches(np.zeros(0, np.int64), Spans(np.zeros(0, np.int64), np.zeros(0, np.int64)))
        at = np.concatenate([entry[0] for entry in found])
        phrase = np.concatenate([entry[1] for entry in found])
        sizes = np.concatenate([np.full(len(entry[0]), entry[2]) for entry in found])
        order = np.lexsort((-sizes, at))
        at, phrase, ends = at[order], phrase[order], (at + sizes)[order]
        reach = np.concatenate([[0], np.maximum.accumulate(ends)[:-1]]) if len(ends) else ends
        outer = ends > reach
        return Matches(phrase[outer], Spans(at[outer], ends[outer]))

    def _known(self, view: TextView, at: Ints, size: int) -> tuple[Ints, Ints]:
        """Those of some places where a phrase of this many words stands, and which it is."""
        table, numbers = self._tables[size]
        hashes = _sequences(view.word_hashes, at, size)
        place = np.minimum(np.searchsorted(table, hashes), len(table) - 1)
        known = table[place] == hashes
        return at[known], numbers[place[known]]


def _sequences(hashes: NDArray[np.uint64], at: Ints, size: int) -> NDArray[np.uint64]:
    """A hash of the words that begin at each place, uint64 [places]."""
    result = hashes[at]
    for step in range(1, size):
        result = mix(result * _STEP + hashes[at + step])
    return result


def _unbroken(view: TextView, at: Ints, size: int) -> Ints:
    """Those places where this many words follow one another on one line with hardly anything between."""
    at = at[at + size <= len(view.words)]
    for step in range(2, size):
        at = at[view.words.starts[at + step] - view.words.ends[at + step - 1] <= _GAP]
    first, last = (view.lines.owner(view.words.starts[word]) for word in (at, at + size - 1))
    unbroken: Ints = at[first == last]
    return unbroken


def share_in(view: TextView, matches: Matches, owner: Spans) -> Floats:
    """Share of the word characters of each unit that belong to phrases, float64 in [0, 1] [units]."""
    sizes = view.words.lengths
    before = np.concatenate([[0], np.cumsum(sizes)])
    covered = before[matches.words.ends] - before[matches.words.starts]
    return np.minimum(1.0, ratio(matches.within(owner).sum(covered), owner.sum(sizes)))
