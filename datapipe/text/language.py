"""Which natural language a text is written in: the report's 22 languages, told apart from their neighbours.

Chinese and Japanese (and Korean) are told by their scripts, which is exact, fast, and keeps classical Chinese Chinese. All else
goes through py3langid on a sample from the start, the middle and the end, limited to the 22 languages and to some
decoys: without them a text in a language outside the 22 would be given to its nearest neighbour among them.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

LANGUAGES = tuple("bg ca cs da de en es fr hr hu it ja nl pl pt ro ru sl sr sv uk zh".split())
"""The languages of the report's WorldKnowledge domain (section 2)."""

DECOYS = tuple("ar el et fa fi he hi id ko la lt lv th tr vi".split())
"""Languages identified only so that their texts are not taken for one of the 22."""

UNDETERMINED = "und"

_WINDOW = 400  # characters of each of the three samples; more does not change the answer on documents
_LINK = re.compile(r"\S*(?:://|@|www\.)\S*")
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af]")
_KANA = re.compile(r"[\u3041-\u3096\u30a1-\u30fa\uff66-\uff9d]")
_HANGUL = re.compile(r"[\u1100-\u11ff\uac00-\ud7a3]")
_LETTER = re.compile(r"[^\W\d_]")


@lru_cache(maxsize=1)
def _identifier() -> Any:
    """The model, loaded once a process (about a second)."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages([*LANGUAGES, *DECOYS])
    return identifier


def sample(text: str, window: int = _WINDOW) -> str:
    """At most three windows of the text (start, middle, end), without web and mail addresses."""
    if len(text) > 4 * window:
        middle = (len(text) - window) // 2
        text = f"{text[:window]}\n{text[middle : middle + window]}\n{text[-window:]}"
    return _LINK.sub(" ", text)


def identify(text: str) -> tuple[str, float]:
    """(ISO 639-1 code, confidence in [0, 1]) of a text; ("und", 0.0) where it holds no letters.

    The code may be a decoy's: callers keep `LANGUAGES`. A Chinese or Japanese character weighs as much as three letters
    of an alphabet (its share of a word's meaning, and of its bytes), so that a Chinese article that quotes English
    commands stays Chinese. Japanese is what has kana in at least one in twenty of its characters.
    Confidence is a softmax over languages, flattened by the root of the length; for scripts, their share.
    """
    text = sample(text)
    letters = len(_LETTER.findall(text))
    if not letters:
        return UNDETERMINED, 0.0
    if not text.isascii():
        han, kana, hangul = (len(script.findall(text)) for script in (_HAN, _KANA, _HANGUL))
        whole = letters + 2 * (han + kana)
        if 3 * (han + kana) > whole / 2:
            share = 3 * (han + kana) / whole
            return ("ja" if kana > 0.05 * (han + kana) else "zh"), round(share, 4)
        if hangul > letters / 2:
            return "ko", round(hangul / letters, 4)
    language, confidence = _identifier().classify(text)
    return str(language), round(float(confidence), 4)
