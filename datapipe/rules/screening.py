"""Security screening: pages that sell sex, bets, violence or nothing at all, by weighted words and by their shape. Own rules.

A kind's measure is the weight of its words per hundred words of the page, where a word counts up to four times (so that one
subject's name does not make a page) and fifty words are added to the page's length (so that one word in a headline does not
either). Words of `context` (courts, patients, battles) count against every kind, since law, medicine, news and
history speak of the same things. A Chinese word is a character here, so measures are lower there: bounds go by language.
The words are in `lists/screening.yaml`; benchmark `screening` measures the bounds on labelled cases.
"""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np

from datapipe.rules.lists import own, tree
from datapipe.rules.registry import rule
from datapipe.text.lexicon import Lexicon
from datapipe.text.spans import Floats, ratio
from datapipe.text.view import TextView

KINDS = ("adult", "gambling", "violence", "spam")
_SMOOTHING = 50  # words
_MOST = 4  # times that one word counts
_CONTACT = re.compile(r"^.{0,8}?(?:\+?\d[\d \-]{4,}\d|[a-z][\w\-]{5,}\d[\w\-]*|@\w{5,})", re.DOTALL)
_ADDRESS = re.compile(r"[!-~]+")
_ODDS = re.compile(r"(?<![\d.,$€£¥])\d{1,2}\.\d{2}(?![\d.%])|(?<!\d)[+-]\d{3}(?!\d)")


@rule("screening.adult")
def adult(view: TextView) -> np.ndarray:
    """Weight of words of pornography and of commercial sex per hundred words; sex education and medicine have the context's."""
    return _weight(view, "adult")


@rule("screening.gambling")
def gambling(view: TextView) -> np.ndarray:
    """Weight of words of betting and casinos per hundred words; law on gambling and reports of trials have the context's."""
    return _weight(view, "gambling")


@rule("screening.violence")
def violence(view: TextView) -> np.ndarray:
    """Weight of words of incitement, weapons for sale and gore per hundred words; news and war history have the context's."""
    return _weight(view, "violence")


@rule("screening.spam")
def spam(view: TextView) -> np.ndarray:
    """Weight of words of advertisements and fraud per hundred words."""
    return _weight(view, "spam")


@rule("screening.contacts")
def contacts(view: TextView) -> np.ndarray:
    """Requests to write or to call (QQ, 微信, WhatsApp, telephone) with a number or a name within eight characters, per hundred
    words; one at the foot of an article is none too many."""
    matches = view.matches(own("screening", "contacts"))
    ends = matches.characters(view).ends
    limits = view.documents.ends[view.documents.owner(ends)]
    followed = np.array(
        [bool(_CONTACT.match(view.lowered[end : min(end + 40, limit)])) for end, limit in zip(ends, limits, strict=True)], bool
    )
    words = view.words_of_documents
    at = matches.words.starts[followed]
    return 100 * (np.searchsorted(at, words.ends) - np.searchsorted(at, words.starts)) / (words.lengths + _SMOOTHING)


@rule("screening.calls")
def calls(view: TextView) -> np.ndarray:
    """Requests to act at once ("order now", 立即注册) per hundred words."""
    counts = view.matches(own("screening", "calls")).within(view.words_of_documents).lengths
    return 100 * counts / (view.words_of_documents.lengths + _SMOOTHING)


@rule("screening.odds")
def odds(view: TextView) -> np.ndarray:
    """Betting odds (1.85, +120) per hundred words, in lines that hold a word of betting beside them."""
    matches = view.matches(own("screening", "odds"))
    lines = np.flatnonzero((matches.within(view.words_of_lines).lengths > 0) & (view.lines.lengths <= 300))
    counts = np.zeros(len(view))
    for line, document in zip(lines.tolist(), view.documents.owner(view.lines.starts[lines]).tolist(), strict=True):
        counts[document] += len(_ODDS.findall(view.lowered, view.lines.starts[line], view.lines.ends[line]))
    return 100 * counts / (view.words_of_documents.lengths + _SMOOTHING)


@rule("screening.links")
def links(view: TextView) -> np.ndarray:
    """Share of characters in web addresses written out (from "://" or "www." to the first blank or character beyond ASCII)."""
    sizes = np.zeros(len(view))
    at = np.unique(np.concatenate([view.find("://"), view.find("www.")]).astype(np.int64))
    end = 0
    for start, document in zip(at.tolist(), view.documents.owner(at).tolist(), strict=True):
        if start >= end:
            address = _ADDRESS.match(view.lowered, start)
            end = address.end() if address else start
            sizes[document] += end - start
    return ratio(sizes, view.documents.lengths)


@lru_cache(maxsize=1)
def _lexicon() -> tuple[Lexicon, Floats]:
    """All kinds' phrases in one list, and the weight of each for each kind, float64 [phrases, kinds]."""
    table: dict[str, Floats] = {}
    for section in (*KINDS, "context"):
        column = slice(None) if section == "context" else KINDS.index(section)
        for weight, phrases in tree("screening")[section].items():
            for phrase in map(str, phrases):
                table.setdefault(phrase.lower(), np.zeros(len(KINDS)))[column] += -weight if section == "context" else weight
    lexicon = Lexicon(dict.fromkeys(table, 1.0))
    return lexicon, np.array([table[phrase] for phrase in lexicon.phrases])


def _weight(view: TextView, kind: str) -> Floats:
    lexicon, weights = _lexicon()
    matches = view.matches(lexicon)
    owner = view.words_of_documents
    document = owner.owner(matches.words.starts)
    pairs, counts = np.unique(document * len(lexicon) + matches.phrase, return_counts=True)
    each = np.minimum(counts, _MOST) * weights[pairs % len(lexicon), KINDS.index(kind)]
    total = np.bincount(pairs // len(lexicon), each, len(view))
    return np.maximum(0.0, 100 * total / (owner.lengths + _SMOOTHING))
