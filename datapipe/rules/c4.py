"""C4's rules (Raffel et al. 2020, section 2.2): lines that no prose would hold, and pages that are not prose."""

from __future__ import annotations

import numpy as np

from datapipe.rules.registry import line_rule, rule
from datapipe.text.characters import CLOSING, SPACE, TERMINAL, UNSPACED
from datapipe.text.phrases import lines_with, occurrences, on_lines
from datapipe.text.spans import Spans
from datapipe.text.view import TextView

POLICY_PHRASES = ("terms of use", "privacy policy", "cookie policy", "uses cookies", "use of cookies", "use cookies")
"""Phrases of lines about a site's policies: the list of the released C4 code, which the paper describes only."""


TURNING_ON = ("enable", "disabled", "turn on", "turned on", "turned off", "requires", "must have", "not support", "handle")
"""What warnings that scripts are off say beside the word Javascript (own list)."""


@line_rule("c4.javascript", languages=("en",))
def javascript(view: TextView) -> np.ndarray:
    """How often the word Javascript occurs in a line that also speaks of turning it on, 0 elsewhere. The paper removes any
    line with the word, because most were such warnings; on pages of today most are prose about programming."""
    return on_lines(view, lines_with(view, ("javascript",)), _warnings)


@line_rule("c4.policy", languages=("en",))
def policy(view: TextView) -> np.ndarray:
    """How many phrases about terms of use, privacy or cookies the line holds (any removes it), 0 in a line of over 200 words,
    which is an article set in one line rather than a notice."""
    chosen = lines_with(view, ("terms of use", "policy", "cookies")) & (view.words_of_lines.lengths <= 200)
    return on_lines(view, chosen, lambda lines: occurrences(lines, POLICY_PHRASES))


@line_rule("c4.line_words")
def line_words(view: TextView) -> np.ndarray:
    """Words in the line (the paper: at least 3), and infinity for a line that ends a sentence: it may be the last of a
    paragraph that was wrapped by hand."""
    return np.where(ends_a_sentence(view, view.lines), np.inf, view.words_of_lines.lengths)


@line_rule("c4.longest_word")
def longest_word(view: TextView) -> np.ndarray:
    """Characters of the line's longest token (released code: at most 1,000)."""
    return view.lines.of(view.tokens).max(view.tokens.lengths).astype(np.float64)


@line_rule("c4.terminal_punctuation")
def terminal_punctuation(view: TextView) -> np.ndarray:
    """1 where the line ends in a full stop, question or exclamation mark or a closing quotation mark or bracket, else 0
    (the paper keeps only such lines; FineWeb found that it drops too much, so no set here uses it by default)."""
    return ends_a_sentence(view, view.lines).astype(np.float64)


@rule("c4.sentences")
def sentences(view: TextView) -> np.ndarray:
    """Sentences in the document (released code: at least 5; the paper's text: 3). A sentence ends at a terminal mark
    before white space or a closing mark; in scripts without spaces before anything that is not a terminal mark."""
    terminal = view.having(TERMINAL)
    after = np.append(view.flags[1:], np.uint16(SPACE))
    ended = terminal & ((after & np.uint16(SPACE | CLOSING | UNSPACED)) != 0)
    return view.documents.count(ended).astype(np.float64)


@rule("c4.curly_brackets")
def curly_brackets(view: TextView) -> np.ndarray:
    """Opening curly brackets per word. The paper drops a page for a single one, as a sign of code; as a share of words a page
    that quotes one line of code can be told from a page of code."""
    words = np.maximum(view.words_of_documents.lengths, 1)
    return view.documents.count_at(view.positions("{")) / words


@rule("c4.lorem_ipsum")
def lorem_ipsum(view: TextView) -> np.ndarray:
    """How often "lorem ipsum" occurs (the paper: never)."""
    return view.documents.count_at(view.find("lorem ipsum")).astype(np.float64)


def _warnings(lines: TextView) -> np.ndarray:
    return np.where(occurrences(lines, TURNING_ON) > 0, occurrences(lines, ("javascript",)), 0.0)


def ends_a_sentence(view: TextView, spans: Spans) -> np.ndarray:
    """Which spans end in a terminal mark or a closing quotation mark or bracket, bool [spans]; none of them is empty."""
    return (view.flags[spans.ends - 1] & np.uint16(TERMINAL | CLOSING)).astype(np.bool_)
