"""Bounds on measures, by family, domain and language."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core import storage
from core.config import ConfigError, setting
from core.storage import FileInfo

PII_KINDS = ("email", "ip", "ipv6", "phone", "zh_mobile", "zh_id", "bank_card")

ANY = "any"
"""In place of a language: all of them."""


@dataclass(frozen=True)
class Bound:
    """What a measure may be: from `min` to `max`, both allowed; what is not given does not limit."""

    min: float | None = setting(None, "the least that is allowed")
    max: float | None = setting(None, "the most that is allowed")

    def __post_init__(self) -> None:
        if self.min is None and self.max is None:
            raise ConfigError("min and max are both missing; give one, or null in place of the bound to turn the rule off.")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ConfigError(f"min = {self.min} is above max = {self.max}; every document would go.")

    def broken(self, values: np.ndarray) -> np.ndarray:
        """Which values lie outside, bool; not-a-number never does."""
        outside = np.zeros(len(values), bool)
        if self.min is not None:
            outside |= values < self.min
        if self.max is not None:
            outside |= values > self.max
        return outside

    def broken_by(self, value: float) -> float | None:
        """The limit that a value breaks, None where it breaks none."""
        if self.min is not None and value < self.min:
            return self.min
        return self.max if self.max is not None and value > self.max else None


@dataclass(frozen=True)
class RuleSet:
    """Bounds by family and rule, in the order in which they are tried; null turns off a rule that is inherited."""

    inherits: list[str] = setting([], "sets whose bounds come first; what is given here replaces theirs")
    lines: dict[str, dict[str, Bound | None]] = setting({}, "line rules: a line that breaks one is taken out of its text")
    pages: dict[str, dict[str, Bound | None]] = setting({}, "page rules: a document that breaks one is removed")


@dataclass(frozen=True)
class CleanConfig:
    """Rules: which bounds hold for which domain and language. The sets themselves are in configs/cleaning.yaml."""

    sets: dict[str, RuleSet] = setting({}, "bounds under a name; a config takes them over by `extends: cleaning.yaml`")
    use: dict[str, dict[str, str]] = setting({}, "domain -> language -> set; `default` stands for what is not named")
    pii: list[str] = setting(list(PII_KINDS), "kinds of personal data replaced in documents that stay")
    flagged_words: dict[str, list[str]] = setting(
        {}, "language (or any) -> URIs of lists of flagged words, one a line, plain or gzip, beside the project's own list"
    )
    longest: int = setting(10_000_000, "characters; a longer document is removed unread (memory: about 150 bytes a character)")

    def __post_init__(self) -> None:
        from datapipe.rules.sets import Bounds  # the rules themselves need numpy and their tables: only where used

        Bounds(self)
        for kind in self.pii:
            if kind not in PII_KINDS:
                raise ConfigError(f"pii holds {kind!r}, which is no kind; known: {', '.join(PII_KINDS)}.")
        for language in self.flagged_words:
            if language != ANY and not (language.isalpha() and language.islower() and len(language) in (2, 3)):
                raise ConfigError(f"flagged_words.{language}: is no language; use a code such as en, or {ANY}.")
        if self.longest < 1:
            raise ConfigError(f"longest = {self.longest} must be at least 1.")

    def flagged_in(self, language: str) -> tuple[str, ...]:
        """The URIs of the lists that hold for a language."""
        return (*self.flagged_words.get(ANY, ()), *self.flagged_words.get(language, ()))

    def files(self, config: object) -> list[FileInfo]:
        """The lists that are read from outside the run. Raises ConfigError where one is missing."""
        found = []
        for language, uris in self.flagged_words.items():
            for uri in uris:
                infos = storage.listing(uri)
                if not infos:
                    raise ConfigError(f"clean.flagged_words.{language}: {uri}: no such file; give a list with one word a line.")
                found += infos
        return found
