"""Flagged words: C4 counts those of a list of "dirty, naughty, obscene or otherwise bad words" (Raffel et al. 2020, 2.2).

The project's own list is short and mild; longer ones are named by URI in `clean.flagged_words`, by language. A word of an
alphabet counts where it stands as a whole word, a Chinese one wherever its characters stand.
"""

from __future__ import annotations

import numpy as np

from datapipe.rules import lists
from datapipe.rules.registry import rule
from datapipe.text.lexicon import Matches, share_in
from datapipe.text.spans import ratio
from datapipe.text.view import TextView


@rule("c4.flagged_words")
def flagged_words(view: TextView) -> np.ndarray:
    """How many flagged words the document holds. The paper drops a page for a single one, which removes medical pages and much
    of what minorities write (Dodge et al. 2021), so no set here uses it by default: see `flagged.share`."""
    return _found(view).within(view.words_of_documents).lengths.astype(np.float64)


@rule("flagged.share")
def share(view: TextView) -> np.ndarray:
    """Share of word characters that are flagged words (data-juicer and WuDaoCorpora bound such a share of words)."""
    return share_in(view, _found(view), view.words_of_documents)


@rule("flagged.line_share")
def line_share(view: TextView) -> np.ndarray:
    """Share of lines that hold a flagged word: few words in a long article, many in a list of titles."""
    holding = _found(view).within(view.words_of_lines).lengths > 0
    return ratio(view.lines_of_documents.count(holding), view.lines_of_documents.lengths)


def _found(view: TextView) -> Matches:
    return view.matches(view.flagging or lists.flagged(()))
