"""Rules for Chinese text, on characters: no English threshold applies to it, and no segmenter is needed.

Shares and thresholds follow FineWeb-2's `cmn_Hani` (Penedo et al. 2025), where a rule has a counterpart there, and the
cleaning rules published with WuDaoCorpora, WanJuan and Yi (brackets, entropy, repeated 13-grams, share of Han); where
these disagree the laxer one is the default.
"""

from __future__ import annotations

import numpy as np

from datapipe.rules.registry import line_rule, rule
from datapipe.text.characters import HAN, LETTER, SPACE
from datapipe.text.spans import ratio
from datapipe.text.view import TextView

CHINESE = ("zh",)


@rule("chinese.characters", languages=CHINESE)
def characters(view: TextView) -> np.ndarray:
    """Han characters in the document (public sets: at least 200 on web pages)."""
    return view.count(HAN).astype(np.float64)


@rule("chinese.han_share", languages=CHINESE)
def han_share(view: TextView) -> np.ndarray:
    """Share of words that are Han characters (public sets: at least 0.3, of all characters). Among words, since an English
    term is one word as a Chinese character is: counted by letters, articles about programming would fall below."""
    return ratio(view.count(HAN), view.words_of_documents.lengths)


@rule("chinese.letters", languages=CHINESE)
def letters(view: TextView) -> np.ndarray:
    """Share of letters of any script among characters other than white space. It stands for FineWeb-2's share of words with
    a letter (at least 0.735 there, of segmented words with punctuation as words)."""
    return ratio(view.count(LETTER), view.documents.lengths - view.count(SPACE))


@rule("chinese.mean_line_length", languages=CHINESE)
def mean_line_length(view: TextView) -> np.ndarray:
    """Characters per line (public sets: at least 10)."""
    owner = view.lines_of_documents
    return ratio(owner.sum(view.lines.lengths), owner.lengths)


@rule("chinese.bracket_titles", languages=CHINESE)
def bracket_titles(view: TextView) -> np.ndarray:
    """Marks 【 and 】 per character (public sets: at most 0.1): lists of headlines and of goods are full of them."""
    return ratio(view.documents.count_at(view.positions("【】")), view.documents.lengths)


@rule("chinese.entropy", languages=CHINESE)
def entropy(view: TextView) -> np.ndarray:
    """Entropy of the characters other than white space, in bits each (public sets, which count words: at least 3)."""
    document = np.repeat(np.arange(len(view)), view.documents.lengths + 1)
    kept = ~view.having(SPACE)
    keys = (document[kept] << 21) | view.codes[kept]
    keys.sort()
    begins = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]])) if len(keys) else np.zeros(0, np.int64)
    counts = np.diff(np.append(begins, len(keys)))
    owner = keys[begins] >> 21
    whole = np.bincount(owner, counts, len(view))
    share = counts / whole[owner]
    return np.maximum(0.0, np.bincount(owner, -share * np.log2(share), len(view)))


@rule("chinese.duplicate_13grams", languages=CHINESE)
def duplicate_13grams(view: TextView) -> np.ndarray:
    """Share of characters in repeated runs of 13 characters (public sets: at most 0.5)."""
    return view.ngrams.duplicated(13)


@rule("chinese.punctuation", languages=CHINESE)
def punctuation(view: TextView) -> np.ndarray:
    """Commas and full stops of running text (，。、；：？！ and their ASCII forms) per Han character. Prose has about one in
    ten; lists of links, tags and keywords have next to none (own rule)."""
    return ratio(view.documents.count_at(view.positions("，。、；：？！,.;:?!")), view.count(HAN))


@line_rule("chinese.bare_line", languages=CHINESE)
def bare_line(view: TextView) -> np.ndarray:
    """1 where the line holds no letter at all (dates, counters, rows of signs), else 0."""
    return np.where(view.count_in_lines(LETTER) == 0, 1.0, 0.0)
