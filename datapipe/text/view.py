"""The one shared view of documents: characters, words, lines and paragraphs as arrays, found once and seen by all rules.

A view holds a batch of documents, glued into one array of code points with a newline between them, because a document of
a few kB is too small for numpy to pay: a call costs as much as a page. Every measure is an array with one entry a
document; a single document is a batch of one. Everything is computed when first asked for and kept.

- A **word** is a run of letters, marks and digits. In scripts written without spaces (Han, kana, Thai, Lao, Khmer,
  Burmese) each character is a word: segmenters run at 1 MB/s, and none is needed to count or to compare.
- A **token** is what stands between white space, punctuation included; a lone "|", the mark between the cells of an
  extracted table, is none.
- A **line** is what stands between newlines, stripped; blank lines are not lines. Its **content** leaves out cell marks around
  it: many old pages lay out their whole article as a table. A **paragraph** is a run of lines with no blank line between.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from datapipe.text.characters import INVISIBLE, LETTER, MARK, NUMBER, SPACE, UNSPACED, classes, lower_hashes, mix
from datapipe.text.ngrams import Ngrams
from datapipe.text.spans import Bools, Ints, Spans

if TYPE_CHECKING:
    from datapipe.text.lexicon import Lexicon, Matches

_BASE = 0x9E6C_63D0_876A_68DF  # odd, so that it has an inverse modulo 2**64


class TextView:
    """Some documents as arrays; see the module's text for what the units are."""

    def __init__(
        self, codes: NDArray[np.uint32], documents: Spans, removed_words: Ints | None = None, flagging: Lexicon | None = None
    ) -> None:
        self.codes = codes
        """Code points of all documents, each followed by a newline, uint32 [characters]."""
        self.documents = documents
        """Each document's characters, without the newline after it."""
        self.removed_words = np.zeros(len(documents), np.int64) if removed_words is None else removed_words
        """Words that line rules have taken from each document so far [documents]."""
        self.flagging = flagging
        """The words that are flagged in these documents' language; None: the project's own."""
        self._counts: dict[int, Ints] = {}
        self._matches: dict[int, tuple[Lexicon, Matches]] = {}
        self._line_counts: dict[int, Ints] = {}

    @classmethod
    def of(cls, texts: Sequence[str], flagging: Lexicon | None = None) -> TextView:
        """A view of these texts, in their order."""
        joined = "\n".join([*texts, ""])
        lengths = np.fromiter(map(len, texts), np.int64, len(texts))
        ends = np.cumsum(lengths + 1) - 1
        codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32)
        return cls(codes, Spans(ends - lengths, ends), flagging=flagging)

    def __len__(self) -> int:
        return len(self.documents)

    # What a character is

    @cached_property
    def flags(self) -> NDArray[np.uint16]:
        """The classes of each character, see `datapipe.text.characters` [characters]."""
        return classes()[self.codes]

    def having(self, flag: int) -> Bools:
        """Which characters are of any of these classes, bool [characters]."""
        return (self.flags & np.uint16(flag)).astype(np.bool_)

    def count(self, flag: int) -> Ints:
        """How many characters of these classes each document has [documents]."""
        if flag not in self._counts:
            self._counts[flag] = self.documents.count(self.having(flag))
        return self._counts[flag]

    def count_in_lines(self, flag: int) -> Ints:
        """How many characters of these classes each line has [lines]."""
        if flag not in self._line_counts:
            self._line_counts[flag] = self.lines.count(self.having(flag))
        return self._line_counts[flag]

    def positions(self, characters: str) -> Ints:
        """Where any of these characters stand, ascending."""
        found = self.codes == ord(characters[0])
        for character in characters[1:]:
            found |= self.codes == ord(character)
        return np.flatnonzero(found)

    # Where units begin and end

    @cached_property
    def _pieces(self) -> Spans:
        """What stands between white space, cell marks included."""
        space = self.having(SPACE)
        after_space = np.concatenate([[True], space[:-1]])
        before_space = np.concatenate([space[1:], [True]])
        return Spans(np.flatnonzero(~space & after_space), np.flatnonzero(~space & before_space) + 1)

    @cached_property
    def tokens(self) -> Spans:
        """What stands between white space, without lone cell marks."""
        pieces = self._pieces
        kept = (pieces.lengths > 1) | (self.codes[pieces.starts] != ord("|"))
        return Spans(pieces.starts[kept], pieces.ends[kept])

    @cached_property
    def words(self) -> Spans:
        """Runs of letters, marks and digits; single characters in scripts without spaces."""
        inside = self.having(LETTER | NUMBER | MARK)
        starts = inside.copy()
        alone = self.having(UNSPACED)
        if alone.any():
            marks = self.having(MARK)
            starts[1:] &= ~inside[:-1] | ((alone[1:] | alone[:-1]) & ~marks[1:])
        else:
            starts[1:] &= ~inside[:-1]
        ends = inside.copy()
        ends[:-1] &= ~inside[1:] | starts[1:]
        return Spans(np.flatnonzero(starts), np.flatnonzero(ends) + 1)

    @cached_property
    def _line_breaks(self) -> Ints:
        return np.flatnonzero(self.codes == 10)

    @cached_property
    def _raw_lines(self) -> Spans:
        """From one newline to the next, blank lines included."""
        return Spans(np.concatenate([[0], self._line_breaks[:-1] + 1]).astype(np.int64), self._line_breaks)

    @cached_property
    def _pieces_of_raw_lines(self) -> Spans:
        return self._raw_lines.of(self._pieces)

    @cached_property
    def _raw_line_of_line(self) -> Ints:
        """The number of each line among the raw ones [lines]."""
        return np.flatnonzero(self._pieces_of_raw_lines.lengths > 0)

    @cached_property
    def lines(self) -> Spans:
        """Lines that hold anything, without the white space around them."""
        pieces, kept = self._pieces_of_raw_lines, self._raw_line_of_line
        return Spans(self._pieces.starts[pieces.starts[kept]], self._pieces.ends[pieces.ends[kept] - 1])

    @cached_property
    def contents(self) -> Spans:
        """The lines that hold more than cell marks, without the marks around them (fewer spans than lines)."""
        tokens = self.lines.of(self.tokens)
        kept = tokens.lengths > 0
        return Spans(self.tokens.starts[tokens.starts[kept]], self.tokens.ends[tokens.ends[kept] - 1])

    @cached_property
    def paragraphs(self) -> Spans:
        """Runs of lines of one document with no blank line between."""
        raw = self._raw_line_of_line
        if not len(raw):
            return Spans(raw, raw)
        first = np.ones(len(raw), bool)
        first[1:] = np.diff(raw) > 1
        first[self.lines_of_documents.starts[self.lines_of_documents.lengths > 0]] = True
        begins = np.flatnonzero(first)
        return Spans(self.lines.starts[begins], self.lines.ends[np.append(begins[1:], len(raw)) - 1])

    @cached_property
    def words_of_documents(self) -> Spans:
        return self.documents.of(self.words)

    @cached_property
    def lines_of_documents(self) -> Spans:
        return self.documents.of(self.lines)

    @cached_property
    def contents_of_documents(self) -> Spans:
        return self.documents.of(self.contents)

    @cached_property
    def paragraphs_of_documents(self) -> Spans:
        return self.documents.of(self.paragraphs)

    @cached_property
    def words_of_lines(self) -> Spans:
        return self.lines.of(self.words)

    @cached_property
    def word_characters(self) -> Ints:
        """Characters in words, without what stands between them [documents]."""
        return self.words_of_documents.sum(self.words.lengths)

    # Hashes: the same unit gives the same number in any document, any batch, upper or lower case

    @cached_property
    def _prefix(self) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
        """Running sum of character hash times power of the base, and the inverse powers, both uint64."""
        powers, inverse = _powers(len(self.codes))
        total = np.zeros(len(self.codes) + 1, np.uint64)
        np.cumsum(lower_hashes()[self.codes] * powers, out=total[1:])
        return total, inverse

    def hashes(self, spans: Spans) -> NDArray[np.uint64]:
        """A 64-bit hash of the characters of each span, case folded, uint64 [spans]."""
        total, inverse = self._prefix
        return mix((total[spans.ends] - total[spans.starts]) * inverse[spans.starts] + spans.lengths.astype(np.uint64))

    @cached_property
    def word_hashes(self) -> NDArray[np.uint64]:
        return self.hashes(self.words)

    @cached_property
    def ngrams(self) -> Ngrams:
        """Counts of word n-grams within each document."""
        return Ngrams(self.word_hashes, self.words.lengths, self.words_of_documents)

    # Searching

    @cached_property
    def lowered(self) -> str:
        """The glued text in lower case, character for character (the one letter whose lower case is longer is left)."""
        return self.codes.tobytes().decode("utf-32-le", "surrogatepass").replace("\u0130", "I").lower()

    def find(self, phrase: str) -> Ints:
        """Where a lower-case phrase begins in the glued text, ascending, occurrences not overlapping."""
        found, at = [], self.lowered.find(phrase)
        while at >= 0:
            found.append(at)
            at = self.lowered.find(phrase, at + len(phrase))
        return np.array(found, np.int64)

    def matches(self, lexicon: Lexicon) -> Matches:
        """Where the phrases of a list stand; found once, however many rules ask."""
        if id(lexicon) not in self._matches:
            self._matches[id(lexicon)] = (lexicon, lexicon.find(self))  # kept beside it, so that the id stays its own
        return self._matches[id(lexicon)][1]

    # Editing

    def text(self, document: int) -> str:
        """One document as a string."""
        start, end = self.documents.starts[document], self.documents.ends[document]
        return self.codes[start:end].tobytes().decode("utf-32-le", "surrogatepass")

    def of_lines(self, chosen: Bools) -> TextView:
        """A view in which each of these lines (bool [lines]) is a document."""
        lengths = self.lines.lengths[chosen]
        ends = np.cumsum(lengths + 1) - 1
        starts = ends - lengths
        codes = self.codes[np.arange(ends[-1] + 1) + np.repeat(self.lines.starts[chosen] - starts, lengths + 1)]
        codes[ends] = ord("\n")
        return TextView(codes, Spans(starts, ends), flagging=self.flagging)

    def without_lines(self, removed: Bools, uncounted: Bools | None = None) -> TextView:
        """The view with some lines taken out, newline included; `removed` is bool [lines], and so is `uncounted`: those of them
        whose words are not added to `removed_words`.

        Invisible characters (controls, zero-width spaces, byte order marks) go too, in every document.
        """
        kept = ~self.having(INVISIBLE)
        raw = Spans(*(bounds[self._raw_line_of_line[removed]] for bounds in (self._raw_lines.starts, self._raw_lines.ends)))
        change = np.zeros(len(self.codes) + 1, np.int8)
        change[raw.starts] += 1
        change[np.minimum(raw.ends + 1, len(self.codes))] -= 1
        kept &= np.cumsum(change[:-1], dtype=np.int8) == 0
        kept |= self._separators
        before = np.zeros(len(kept) + 1, np.int64)
        np.cumsum(kept, out=before[1:])
        counted = removed if uncounted is None else removed & ~uncounted
        lost = self.lines_of_documents.sum(np.where(counted, self.words_of_lines.lengths, 0))
        documents = Spans(before[self.documents.starts], before[self.documents.ends])
        return TextView(self.codes[kept], documents, self.removed_words + lost, self.flagging)

    @cached_property
    def _separators(self) -> Bools:
        separators = np.zeros(len(self.codes), bool)
        separators[self.documents.ends] = True
        return separators


_power_cache: list[np.ndarray] = [np.ones(1, np.uint64), np.ones(1, np.uint64)]


def _powers(length: int) -> tuple[np.ndarray, np.ndarray]:
    """Powers of the base and of its inverse modulo 2**64, at least `length` + 1 of them, uint64."""
    if len(_power_cache[0]) <= length:
        for which, base in enumerate((_BASE, pow(_BASE, -1, 2**64))):
            steps = np.full(max(1 << 16, length + 1 + length // 4), base, np.uint64)
            steps[0] = 1
            _power_cache[which] = np.cumprod(steps)
    return _power_cache[0][:length], _power_cache[1]
