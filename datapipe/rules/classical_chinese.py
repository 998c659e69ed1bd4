"""Rules for classical Chinese (texts and poetry before the vernacular): what tells it from modern text about it."""

from __future__ import annotations

import numpy as np

from datapipe.rules.registry import rule
from datapipe.text.characters import HAN
from datapipe.text.spans import ratio
from datapipe.text.view import TextView

VERNACULAR = "的了们这吗呢吧啊们這們嗎"
"""Characters frequent in modern Chinese and rare in the classical language (own choice); both forms of writing."""


@rule("classical_chinese.vernacular", languages=("zh",))
def vernacular(view: TextView) -> np.ndarray:
    """Share of `VERNACULAR` characters among Han: about 0.06 in modern prose, under 0.01 in classical."""
    return ratio(view.documents.count_at(view.positions(VERNACULAR)), view.count(HAN))


@rule("classical_chinese.missing_characters", languages=("zh",))
def missing_characters(view: TextView) -> np.ndarray:
    """Marks that stand for a character that the edition could not print (□ ■ ○ 〓 ？in brackets is not counted) per Han."""
    return ratio(view.documents.count_at(view.positions("□■〓")), view.count(HAN))
