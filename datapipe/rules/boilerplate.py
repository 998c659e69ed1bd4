"""Boilerplate: lines that belong to the site and not to the article. Own rules, in the manner of RefinedWeb's line-wise
corrections (Penedo et al. 2023, section G.2) and of jusText's short lines; the phrases are in `lists/boilerplate.yaml`.

Every rule looks at short lines only and asks how much of the line its phrases are, since an article may well speak of cookies,
of copyright or of sharing. How many lines each rule took is on the document's record (`lines:boilerplate.share` and so on).
"""

from __future__ import annotations

import re

import numpy as np

from datapipe.rules.c4 import ends_a_sentence
from datapipe.rules.lists import own
from datapipe.rules.registry import line_rule
from datapipe.text.lexicon import Matches, share_in
from datapipe.text.phrases import on_lines
from datapipe.text.view import TextView

_SHORT = 12  # words: a row of buttons
_BANNER = 100  # words: a consent banner
_CHINESE_SHORT = 80  # characters
_LABELLED = 40
_RIGHTS = 40  # words (in Chinese: characters)
_MARK = re.compile(
    r"(?:©|\(c\)|ⓒ|版权所有|版權所有).{0,40}?(?:19|20)\d\d|^copyright\b.{0,20}?(?:19|20)\d\d|(?:19|20)\d\d\s*(?:©|\(c\)|copyright\b)"
)
_CRUMB = ">»›→"


@line_rule("boilerplate.share")
def share(view: TextView) -> np.ndarray:
    """Share of the line's word characters that name networks and buttons for sharing, 0 for fewer than two of them and in
    lines of over twelve words: "Facebook Twitter LinkedIn Email"."""
    matches = view.matches(own("boilerplate", "share"))
    chosen = (view.words_of_lines.lengths <= _SHORT) & (matches.within(view.words_of_lines).lengths >= 2)
    return np.where(chosen, share_in(view, matches, view.words_of_lines), 0.0)


@line_rule("boilerplate.cookies")
def cookies(view: TextView) -> np.ndarray:
    """How many phrases of consent banners the line holds ("accept all cookies", "verwendet Cookies", "使用Cookie"), 0 in lines
    of over a hundred words. Like C4's policy lines, in more languages."""
    at = view.lines.count_at(view.find("cookie")) > 0
    chosen = at & (view.words_of_lines.lengths <= _BANNER)
    return on_lines(view, chosen, lambda lines: _counted(lines, own("boilerplate", "cookies").find(lines)))


@line_rule("boilerplate.rights")
def rights(view: TextView) -> np.ndarray:
    """1 where a line of at most forty words states a page's rights: a phrase such as "all rights reserved" or 版权所有 with a
    year or a mark ©, or the mark with a year; else 0. A licence that explains its rights in sentences stays."""
    hint = view.lines.count_at(view.positions("©ⓒ")) > 0
    matches = view.matches(own("boilerplate", "rights"))
    named = matches.within(view.words_of_lines).lengths > 0
    chosen = (hint | named) & (view.words_of_lines.lengths <= _RIGHTS)
    found = np.zeros(len(view.lines))
    for line in np.flatnonzero(chosen).tolist():
        text = view.lowered[view.lines.starts[line] : view.lines.ends[line]]
        found[line] = 1.0 if _MARK.search(text) or text.startswith(("©", "all rights reserved", "版权所有")) else 0.0
    return found


@line_rule("boilerplate.crumbs")
def crumbs(view: TextView) -> np.ndarray:
    """Separators > » › → in a line that is a path through the site ("Home > News > Local", "当前位置：首页 > 正文"), 0 in
    lines of over forty words, that end a sentence, begin with a separator (a quotation) or do not begin with a word for home or
    place; so that code and chains of reasoning stay."""
    separators = view.lines.count_at(view.positions(_CRUMB))
    if not separators.any():
        return separators.astype(np.float64)
    matches = view.matches(own("boilerplate", "location"))
    first = np.isin(view.words_of_lines.starts, matches.words.starts) & (view.words_of_lines.lengths > 0)
    fits = first & (view.words_of_lines.lengths <= 40) & ~ends_a_sentence(view, view.lines)
    return np.where(fits, separators, 0.0)


@line_rule("boilerplate.furniture", languages=("en",))
def furniture(view: TextView) -> np.ndarray:
    """Share of the word characters of a line of at most twelve words that are buttons and headings of a site ("Related
    articles", "Leave a comment", "Story continues below advertisement"), 0 in a line that ends a sentence."""
    chosen = (view.words_of_lines.lengths <= _SHORT) & ~ends_a_sentence(view, view.lines)
    return np.where(chosen, _share(view, "furniture"), 0.0)


@line_rule("boilerplate.furniture_zh", languages=("zh",))
def furniture_zh(view: TextView) -> np.ndarray:
    """The same for Chinese, in lines of at most 80 characters: 相关阅读, 责任编辑, 版权声明, 上一篇, registration numbers. An
    article may hold such words, so it is their share that counts. 1 for a line of at most 40 characters that begins
    with a label and a colon ("来源：", "编辑：")."""
    chosen = view.lines.lengths <= _CHINESE_SHORT
    found: np.ndarray = np.maximum(np.where(chosen, _share(view, "furniture_zh"), 0.0), _labelled(view))
    return found


def _labelled(view: TextView) -> np.ndarray:
    found = np.zeros(len(view.lines))
    spans = view.matches(own("boilerplate", "labels_zh")).characters(view)
    line = view.lines.owner(spans.starts)
    fits = (spans.starts == view.lines.starts[line]) & (view.lines.lengths[line] <= _LABELLED)
    fits &= np.isin(view.codes[spans.ends], [ord("："), ord(":")])
    found[line[fits]] = 1.0
    return found


def _share(view: TextView, section: str) -> np.ndarray:
    return share_in(view, view.matches(own("boilerplate", section)), view.words_of_lines)


def _counted(lines: TextView, matches: Matches) -> np.ndarray:
    return matches.within(lines.words_of_documents).lengths.astype(np.float64)
