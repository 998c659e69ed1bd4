"""RefinedWeb's line-wise corrections (Penedo et al. 2023, section G.2): what is left of menus, counters and buttons."""

from __future__ import annotations

import re

import numpy as np

from datapipe.rules.registry import line_rule, rule
from datapipe.text.characters import LETTER, NUMBER, SPACE, UPPER
from datapipe.text.phrases import begins, ends, occurrences, on_lines
from datapipe.text.spans import ratio
from datapipe.text.view import TextView

COUNTED = "likes? shares? comments? views? followers? following retweets? replies reply votes? points? downloads? reads?"
"""What social counters count."""
_COUNTER = re.compile(rf"[\d.,]+ ?[km]?\+? ?(?:{'|'.join(COUNTED.split())})(?: ago)?")
BEGINNINGS = (
    "sign in", "sign-in", "sign up", "log in", "subscribe", "skip to", "back to top", "share this", "share on",
    "follow us", "click here", "related posts", "related articles", "leave a comment", "posted in", "filed under",
)  # fmt: skip
ENDINGS = ("read more", "continue reading", "see more", "view all", "learn more", "show more", "load more")
ANYWHERE = ("items in cart", "item in cart", "items in your cart", "add to cart", "add to wishlist", "all rights reserved")
_SHORT = 10  # words: the paper's limit of what its patterns may edit


@line_rule("refinedweb.uppercase")
def uppercase(view: TextView) -> np.ndarray:
    """Share of upper case among the line's letters, 0 where it has fewer than 20: a name or a short heading in capitals is no
    shouting (the paper removes lines "mainly composed of uppercase characters")."""
    letters = view.count_in_lines(LETTER)
    return np.where(letters >= 20, ratio(view.count_in_lines(UPPER), letters), 0.0)


@line_rule("refinedweb.numeric")
def numeric(view: TextView) -> np.ndarray:
    """Share of digits and marks, that is of all that is no letter and no space, 0 where the line has no digit (the paper
    removes lines "composed only of numerical characters")."""
    digits = view.count_in_lines(NUMBER)
    spaces = view.count_in_lines(SPACE)
    share = 1.0 - ratio(view.count_in_lines(LETTER), view.lines.lengths - spaces)
    return share * (digits > 0)


@line_rule("refinedweb.counter", languages=("en",))
def counter(view: TextView) -> np.ndarray:
    """1 where the whole line is a counter such as "3 likes" or "1.2k followers", else 0."""
    found = np.zeros(len(view.lines))
    number_first = (view.flags[view.lines.starts] & NUMBER) != 0
    for line in np.flatnonzero(number_first & (view.words_of_lines.lengths <= 5)).tolist():
        if _COUNTER.fullmatch(view.lowered, view.lines.starts[line], view.lines.ends[line]):
            found[line] = 1.0
    return found


@line_rule("refinedweb.one_word")
def one_word(view: TextView) -> np.ndarray:
    """1 where the line is a single word, else 0 (the paper removes them)."""
    return np.where(view.words_of_lines.lengths == 1, 1.0, 0.0)


@line_rule("refinedweb.navigation", languages=("en",))
def navigation(view: TextView) -> np.ndarray:
    """1 where a line of at most ten words is a button or a link of the site (begins "sign in", ends "read more", holds
    "items in cart" and the like; the paper gives these three as examples of its list), else 0."""
    return on_lines(view, view.words_of_lines.lengths <= _SHORT, _is_navigation)


@rule("refinedweb.removed_words")
def removed_words(view: TextView) -> np.ndarray:
    """Share of the document's words that line rules took (the paper: at most 0.05, of its own line rules)."""
    return ratio(view.removed_words, view.removed_words + view.words_of_documents.lengths)


def _is_navigation(lines: TextView) -> np.ndarray:
    found = begins(lines, BEGINNINGS) | ends(lines, ENDINGS) | (occurrences(lines, ANYWHERE) > 0)
    return np.where(found, 1.0, 0.0)
