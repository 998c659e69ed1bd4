"""Cheap measures of a page, each a float on its address and its cheap text; not-a-number where a page has no such measure.

A rule measures, a bound decides (datapipe/config/triage.py). A new measure is a function here and a field there.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cached_property, lru_cache

from datapipe.config.triage import TriageBounds
from datapipe.document import Verdict
from datapipe.rules.gopher import STOP_WORDS
from datapipe.text.language import UNDETERMINED, identify
from datapipe.triage.cheap import CheapText
from datapipe.triage.url_words import url_words

_SAMPLE = 4_000  # characters: bounds on words are met or broken by then
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\U00020000-\U000323af]|[^\W_\u3040-\u30ff\u3400-\u9fff\U00020000-\U000323af]+")
_ENDS = (". ", ".\n", "! ", "!\n", "? ", "?\n", "…", '."', ".”", "。", "！", "？")
_LETTERS = re.compile(r"[^\W\d_]+")
_SCRIPTS = {
    "latin": "A-Za-z\u00aa\u00ba\u00c0-\u024f\u1e00-\u1eff",
    "cyrillic": "\u0400-\u052f\u1c80-\u1c8f\u2de0-\u2dff\ua640-\ua69f",
    "han": "\u2e80-\u2fdf\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af",
    "kana": "\u3041-\u30ff\u31f0-\u31ff\uff66-\uff9d",
    "hangul": "\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3",
    "greek": "\u0370-\u03ff\u1f00-\u1fff",
    "arabic": "\u0600-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufeff",
    "hebrew": "\u0590-\u05ff",
    "devanagari": "\u0900-\u097f",
    "thai": "\u0e00-\u0e7f",
}
_SCRIPTS_OF = {
    "bg": "cyrillic", "ru": "cyrillic", "uk": "cyrillic", "sr": "cyrillic latin", "zh": "han", "ja": "han kana",
    "ko": "hangul han", "el": "greek", "ar": "arabic", "fa": "arabic", "he": "hebrew", "hi": "devanagari", "th": "thai",
}  # fmt: skip


@dataclass(frozen=True)
class Look:
    """What is known of a page before it is parsed; `languages` are those that may stay (empty: all, or the language is
    given)."""

    url: str
    page: CheapText
    languages: Collection[str]

    @cached_property
    def language(self) -> tuple[str, float]:
        """(language, confidence) of the page's prose."""
        return identify(self.page.prose)


def words(look: Look) -> float:
    """Words of the page's text (its first 4,000 characters); a Chinese or Japanese character is a word, as in the rules."""
    return float(len(_WORD.findall(look.page.text[:_SAMPLE])))


def own_script(look: Look) -> float:
    """Share of the prose's letters in a script of the languages that stay (of its first 4,000 characters)."""
    if not look.languages:
        return math.nan
    text, wanted = look.page.prose[:_SAMPLE], scripts(tuple(sorted(look.languages)))
    if text.isascii() and "latin" in wanted:
        return 1.0
    letters = _length(_LETTERS, text)
    return sum(_length(_pattern(name), text) for name in wanted) / letters if letters else math.nan


def foreign_language(look: Look) -> float:
    """Confidence that the prose is in a language that does not stay: 0 where it is in one that does, or in none that is
    known."""
    if not look.languages:
        return math.nan
    language, confidence = look.language
    return 0.0 if language in look.languages or language == UNDETERMINED else confidence


def sentences(look: Look) -> float:
    """Marks that end a sentence, in all of the page's text."""
    text = f"{look.page.text} "
    return float(sum(map(text.count, _ENDS)))


def link_share(look: Look) -> float:
    """Share of the page's characters that stand in links."""
    return look.page.linked / look.page.characters if look.page.characters else math.nan


def stop_words(look: Look) -> float:
    """Different function words of English on a page that is in English (Gopher's rule, Rae et al. 2021, A1.1, on all of the
    page)."""
    if look.language[0] != "en":
        return math.nan
    return float(len(set(look.page.text.lower().split()).intersection(STOP_WORDS)))


MEASURES: dict[str, Callable[[Look], float]] = {
    "url_words": lambda look: url_words(look.url),
    "words": words,
    "own_script": own_script,
    "foreign_language": foreign_language,
    "sentences": sentences,
    "link_share": link_share,
    "stop_words": stop_words,
}
"""By the name of their bound."""

OF_ADDRESS = ("url_words",)
"""Those that need no text."""


def judge(look: Look, bounds: TriageBounds, of_address: bool) -> Verdict | None:
    """The first bound that a page breaks, in the order of the settings; of its address alone, or of its text."""
    for field in dataclasses.fields(bounds):
        bound = getattr(bounds, field.name)
        if bound is None or (field.name in OF_ADDRESS) != of_address:
            continue
        value = MEASURES[field.name](look)
        if not math.isnan(value) and (limit := bound.broken_by(value)) is not None:
            detail = look.language[0] if field.name == "foreign_language" else None
            return Verdict(f"triage.{field.name}", value, limit, detail)
    return None


@lru_cache(maxsize=8)
def scripts(languages: tuple[str, ...]) -> list[str]:
    """The scripts that these languages are written in; Latin for a language that is not known here."""
    return sorted({name for language in languages for name in _SCRIPTS_OF.get(language, "latin").split()})


@lru_cache(maxsize=16)
def _pattern(script: str) -> re.Pattern[str]:
    return re.compile(f"[{_SCRIPTS[script]}]+")


def _length(pattern: re.Pattern[str], text: str) -> int:
    return sum(map(len, pattern.findall(text)))
