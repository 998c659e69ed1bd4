"""Texts as arrays of hashed units: the normal form under which duplicates and benchmark items are compared.

A unit is a word (a run of letters and digits), or one character of a script that is written without spaces
(Han, kana). Case, width (full-width forms), accents, punctuation and white space do not count, so neither does
line wrapping. Whether a text is Chinese is seen in its characters and never asked of a language code: a code that
silently selects the wrong segmentation is a known defect of public pipelines.

Nothing here loops over words in Python. A word's hash is a polynomial over its characters,
    H(word) = mix(sum_j value[c_j] * B**j  mod 2**64),
read off the prefix sums of a whole block of text: (P[end] - P[start]) * B**-start (B is odd, hence invertible).
It does not depend on where the block starts, so not on how documents are batched.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
Offsets = NDArray[np.int64]

BLOCK = 1 << 16  # characters handled at once: the arrays of a block (8 bytes a character) stay in the second-level cache
TABLE = 0x20000  # characters beyond it (rarer Han, private use) need no folding: their class follows from their range

SEPARATOR, LETTER, SINGLE, DROPPED = 0, 1, 2, 3

_BASE = np.uint64(0x9E3779B97F4A7C15 | 1)
_BASE_INVERSE = np.uint64(pow(int(_BASE), -1, 1 << 64))
_NGRAM_BASE = np.uint64(0xD6E8FEB86659FD93)

# Scripts written without spaces between words, among the languages that the pipeline keeps.
_SINGLE_RANGES = ((0x3041, 0x30FF), (0x31F0, 0x31FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF))


def mix(values: Hashes) -> Hashes:
    """Spreads every bit of a 64-bit hash over all of them (MurmurHash3's finalizer, a bijection), element by element."""
    values = values ^ (values >> np.uint64(33))
    values *= np.uint64(0xFF51AFD7ED558CCD)
    values ^= values >> np.uint64(33)
    values *= np.uint64(0xC4CEB9FE1A85EC53)
    values ^= values >> np.uint64(33)
    return values


@dataclass(frozen=True)
class Units:
    """The units of a sequence of documents, one after another.

    hashes [U] uint64: the hash of each unit; single [U] bool: it is one character of an unspaced script;
    start, end [U] int64: its characters in its own document (Python string indices, end exclusive);
    offsets [D+1] int64: document d owns units offsets[d] to offsets[d+1].
    """

    hashes: Hashes
    single: NDArray[np.bool_]
    start: Offsets
    end: Offsets
    offsets: Offsets

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def counts(self) -> Offsets:
        """Units of each document [D]."""
        return np.diff(self.offsets)

    def unspaced(self) -> NDArray[np.bool_]:
        """Which documents [D] are counted in characters: more than half of their units are single characters."""
        running = np.concatenate([[0], np.cumsum(self.single, dtype=np.int64)])
        return np.asarray(2 * np.diff(running[self.offsets]) > self.counts)


@lru_cache(maxsize=1)
def _tables() -> tuple[NDArray[np.uint8], Hashes]:
    """Class and hash value of each character below TABLE, after folding case, width and accents."""
    classes = np.zeros(TABLE, np.uint8)
    folded = np.arange(TABLE, dtype=np.uint64)
    for code in range(TABLE):
        if 0xD800 <= code < 0xE000:
            continue
        character = chr(code)
        if unicodedata.category(character) in ("Mn", "Me", "Cf"):  # combining accents, soft hyphens, joiners
            classes[code] = DROPPED
            continue
        base = unicodedata.normalize("NFKD", character)
        if len(base) > 1 and all(unicodedata.combining(mark) for mark in base[1:]):
            base = base[0]
        base = base.casefold()
        target = base if len(base) == 1 else character
        if target.isalnum():
            classes[code] = LETTER
            folded[code] = ord(target)
    for first, last in _SINGLE_RANGES:
        span = slice(first, last + 1)
        classes[span] = np.where(classes[span] == LETTER, SINGLE, classes[span])
    values = mix(folded + np.uint64(0x243F6A8885A308D3)) | np.uint64(1)
    return classes, values


class _Powers:
    """B**j and B**-j for j up to the longest block seen; grown on demand."""

    def __init__(self) -> None:
        self.up = np.ones(1, np.uint64)
        self.down = np.ones(1, np.uint64)

    def upto(self, length: int) -> tuple[Hashes, Hashes]:
        if len(self.up) <= length:
            size = 1 << int(length).bit_length()
            for name, base in (("up", _BASE), ("down", _BASE_INVERSE)):
                steps = np.full(size, base)
                steps[0] = 1
                setattr(self, name, np.cumprod(steps))  # wraps around at 2**64, which is the modulus
        return self.up, self.down


_POWERS = _Powers()


def _classify(codes: NDArray[np.uint32]) -> tuple[NDArray[np.uint8], Hashes]:
    """Class [n] uint8 and value [n] uint64 of each character."""
    classes, values = _tables()
    if int(codes.max(initial=0)) < TABLE:
        return classes.take(codes), values.take(codes)
    low = np.minimum(codes, TABLE - 1)
    high = codes >= TABLE
    far_class = np.where((codes >= 0x20000) & (codes < 0x40000), SINGLE, SEPARATOR).astype(np.uint8)
    far_value = mix(codes + np.uint64(0x243F6A8885A308D3)) | np.uint64(1)
    return np.where(high, far_class, classes.take(low)), np.where(high, far_value, values.take(low))


def _block(codes: NDArray[np.uint32]) -> tuple[Hashes, NDArray[np.bool_], Offsets, Offsets]:
    """Units of one block of characters: hashes, single, start, end (indices into the block)."""
    classes, values = _classify(codes)
    places: Offsets | None = None
    if (dropped := classes == DROPPED).any():
        places = np.flatnonzero(~dropped)
        classes, values = classes[places], values[places]
    length = len(classes)
    letter, single = classes == LETTER, classes == SINGLE
    begins, ends = letter | single, letter | single
    begins[1:] &= single[1:] | ~letter[:-1]
    ends[:-1] &= single[:-1] | ~letter[1:]
    start, end = np.flatnonzero(begins), np.flatnonzero(ends) + 1
    up, down = _POWERS.upto(length)
    prefix = np.zeros(length + 1, np.uint64)
    values *= up[:length]
    np.cumsum(values, out=prefix[1:])
    hashes = mix((prefix[end] - prefix[start]) * down[start])
    alone = single[start]
    if places is not None:
        end = places[end - 1] + 1
        start = places[start]
    return hashes, alone, start, end


def _blocks(codes: NDArray[np.uint32]) -> Iterator[tuple[int, NDArray[np.uint32]]]:
    """Cuts a long run of characters at separators, about BLOCK characters each; a longer word stays whole."""
    classes, _ = _tables()
    begin = 0
    while begin < len(codes):
        stop = min(begin + BLOCK, len(codes))
        if stop < len(codes):
            window = codes[begin:stop]
            cut = np.flatnonzero(window == 0x20)
            if len(cut):
                stop = begin + int(cut[-1]) + 1
            else:
                stop = _next_cut(codes, begin, stop, classes)
        yield begin, codes[begin:stop]
        begin = stop


def _next_cut(codes: NDArray[np.uint32], begin: int, stop: int, classes: NDArray[np.uint8]) -> int:
    """The last cut between `begin` and `stop` before which no word runs on, or the first one after `stop`."""
    for window in (slice(begin, stop), slice(stop, len(codes))):
        kinds = classes.take(np.minimum(codes[window], TABLE - 1))
        breaks = np.flatnonzero((kinds == SEPARATOR) | (kinds == SINGLE))
        if len(breaks):
            last = breaks[-1] if window.start == begin else breaks[0]
            return window.start + int(last) + 1
    return len(codes)


def units(texts: Sequence[str | None]) -> Units:
    """The units of each text (None counts as empty), for a whole batch at once.

    Memory: about 4 bytes a character for the batch and 25 a unit; the wider intermediates are those of one block.
    """
    lengths = np.fromiter((len(text) if text else 0 for text in texts), np.int64, len(texts))
    # A separator after each document keeps the last word of one from running into the first of the next.
    joined = "\n".join([text or "" for text in texts]) + "\n"
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32)
    begins = np.concatenate([[0], np.cumsum(lengths + 1)])
    parts = [
        (hashes, single, start + base, end + base)
        for base, block in _blocks(codes)
        for hashes, single, start, end in [_block(block)]
    ]
    hashes, single, start, end = (np.concatenate(column) for column in zip(*parts, strict=True))
    offsets = np.searchsorted(start, begins)
    shift = np.repeat(begins[:-1], np.diff(offsets))
    return Units(hashes, single, start - shift, end - shift, offsets.astype(np.int64))


def portions(texts: Sequence[str | None], characters: int = 1 << 20) -> Iterator[slice]:
    """Cuts a batch of texts into runs of about that many characters, so that working memory is a run's, not the batch's.

    A longer text is a run of its own. Results never depend on the cut.
    """
    begin = size = 0
    for index, text in enumerate(texts):
        length = len(text) if text else 0
        if index > begin and size + length > characters:
            yield slice(begin, index)
            begin, size = index, 0
        size += length
    if begin < len(texts):
        yield slice(begin, len(texts))


def ngrams(hashes: Hashes, length: int) -> Hashes:
    """Hash of the `length` units from each place on [U - length + 1]; they may cross from one document into the next.

    The length is part of the hash: a 3-gram never equals a 5-gram.
    """
    count = len(hashes) - length + 1
    if count <= 0:
        return np.zeros(0, np.uint64)
    rolled = hashes[:count] + np.uint64(length)
    for step in range(1, length):
        rolled *= _NGRAM_BASE
        rolled += hashes[step : step + count]
    return mix(rolled)


def ngrams_at(hashes: Hashes, places: Offsets, length: int) -> Hashes:
    """What `ngrams` gives at these places [P], without going over all others; each must have `length` units after it."""
    rolled = hashes[places] + np.uint64(length)
    for step in range(1, length):
        rolled *= _NGRAM_BASE
        rolled += hashes[places + step]
    return mix(rolled)


def runs_of(cut: Units, length: int, chosen: NDArray[np.bool_]) -> tuple[Offsets, Offsets]:
    """(document, place) of each run of `length` units that lies within one of the chosen documents [D]; place indexes units,
    and so what `ngrams` gives."""
    whole = np.where(chosen, np.maximum(cut.counts - length + 1, 0), 0)
    begins = np.repeat(cut.offsets[:-1] - (np.cumsum(whole) - whole), whole)
    return np.repeat(np.arange(len(cut)), whole), begins + np.arange(len(begins))


def sequence_hashes(hashes: Hashes, offsets: Offsets) -> Hashes:
    """One hash for each run of units: run r holds hashes[offsets[r]:offsets[r+1]] (empty runs get a fixed value)."""
    counts = np.diff(offsets)
    place = np.arange(len(hashes)) - np.repeat(offsets[:-1], counts)
    up, _ = _POWERS.upto(int(counts.max(initial=1)))
    prefix = np.concatenate([np.zeros(1, np.uint64), np.cumsum(hashes * up[place])])
    return mix(prefix[offsets[1:]] - prefix[offsets[:-1]] + counts.astype(np.uint64))
