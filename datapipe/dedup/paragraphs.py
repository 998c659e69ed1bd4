"""Paragraphs of documents and their hashes, and the cutting out of those that are repeated.

Two paragraphs are the same when their units are (see `units`): case, punctuation, width and wrapping do not count.
Extracted web pages hold one paragraph a line, books and Markdown wrap theirs and put blank lines between. So each document
is asked: where at least `wrapped_from` blank lines stand for each line of text, a paragraph ends at a blank line, else at
every line end. Lines without any letter or digit (rules, ornaments) count as blank.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from datapipe.dedup.units import Hashes, Offsets, sequence_hashes, units


@dataclass(frozen=True)
class Paragraphs:
    """The paragraphs of a sequence of documents, one after another; document d owns offsets[d] to offsets[d+1].

    hashes [P] uint64; units [P] int64, how many words (or characters) each has; unspaced [P] bool, whether they are
    characters; begin [P] int64: where the paragraph's first line begins in its own document. What lies between two
    beginnings belongs to the first of them.
    """

    hashes: Hashes
    units: Offsets
    unspaced: NDArray[np.bool_]
    begin: Offsets
    offsets: Offsets


def paragraphs(texts: Sequence[str], wrapped_from: float) -> Paragraphs:
    """The paragraphs of each text."""
    cut = units(texts)
    lines, line_begin = _lines(texts, cut.start, cut.offsets)
    owner = np.repeat(np.arange(len(texts)), cut.counts)
    first = np.flatnonzero(np.diff(lines, prepend=-1))  # the first unit of each line that has any
    inked, of = lines[first], owner[first]
    opens = np.diff(of, prepend=-1) != 0  # the first such line of each document
    gap = (np.diff(inked, prepend=0) > 1) & ~opens
    blank = np.bincount(of, weights=gap, minlength=len(texts))
    written = np.bincount(of, minlength=len(texts))
    wrapped = (blank > 0) & (blank >= wrapped_from * written)
    head = opens | gap | ~wrapped[of]
    starts = first[head]
    runs = np.append(starts, len(lines)).astype(np.int64)
    singles = np.add.reduceat(cut.single.astype(np.int64), starts) if len(starts) else np.zeros(0, np.int64)
    counts = np.diff(runs)
    begin = line_begin[inked[head]]
    begin[opens[head]] = 0  # whatever stands before the first paragraph goes with it
    return Paragraphs(
        hashes=sequence_hashes(cut.hashes, runs),
        units=counts,
        unspaced=2 * singles > counts,
        begin=begin,
        offsets=np.searchsorted(of[head], np.arange(len(texts) + 1)).astype(np.int64),
    )


def _lines(texts: Sequence[str], start: Offsets, offsets: Offsets) -> tuple[Offsets, Offsets]:
    """Line of each unit (numbered through the batch, no number shared by two documents), and where each line begins in
    its own document."""
    joined = "\n".join(texts) + "\n"
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32)
    ends = np.flatnonzero(codes == 0x0A)
    lengths = np.fromiter((len(text) for text in texts), np.int64, len(texts))
    bases = np.concatenate([[0], np.cumsum(lengths + 1)])[:-1]
    places = start + np.repeat(bases, np.diff(offsets))
    heads = np.concatenate([[0], ends[:-1] + 1]).astype(np.int64)
    owner = np.searchsorted(bases, heads, side="right") - 1
    return np.searchsorted(ends, places).astype(np.int64), heads - bases[owner]


def without(text: str, begin: Sequence[int], dropped: Collection[int]) -> str:
    """The text less the paragraphs with these positions; `begin` as in Paragraphs, for this document."""
    bounds = [*begin, len(text)]
    kept = [text[bounds[place] : bounds[place + 1]] for place in range(len(begin)) if place not in dropped]
    return "".join(kept).rstrip() if len(begin) - 1 in dropped else "".join(kept)


def to_cut(count: int, repeated: Collection[int], furniture: Collection[int]) -> set[int]:
    """Which of `count` paragraphs go: the repeated ones, and furniture that has nothing but such between it and an end of the
    document. In the middle of a text a short line that other pages have as well is a heading."""
    gone = set(repeated)
    for places in (range(count), range(count - 1, -1, -1)):
        for place in places:
            if place not in repeated and place not in furniture:
                break
            gone.add(place)
    return gone
