"""Which bounds hold for which document: named sets of bounds, their inheritance, and a table from domain and language.

The language weighs more than the domain: a Chinese document of a domain that names no Chinese set gets the Chinese
default, never the domain's default, so that no threshold made for another language judges it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.config import ConfigError
from datapipe.document import DOMAINS
from datapipe.rules.registry import LINE_RULES, PAGE_RULES, Rule, find

if TYPE_CHECKING:
    from datapipe.config import Bound, CleanConfig

DEFAULT = "default"
Families = Mapping[str, Mapping[str, "Bound | None"]]


@dataclass(frozen=True)
class BoundSet:
    """Bounds by full rule name, in the order in which they are tried; inheritance is resolved."""

    name: str
    lines: dict[str, Bound]
    pages: dict[str, Bound]


class Bounds:
    """The sets of a config, resolved, and which of them a document meets."""

    def __init__(self, config: CleanConfig) -> None:
        """Raises ConfigError for a rule, a set or a domain that does not exist, and for a rule used outside its languages."""
        self._config = config
        self.sets = {name: self._resolve(name, ()) for name in config.sets}
        for domain, languages in config.use.items():
            if domain not in (*DOMAINS, DEFAULT):
                raise ConfigError(f"use.{domain}: there is no such domain; use {DEFAULT} or one of {', '.join(DOMAINS)}.")
            for language, name in languages.items():
                self._check(domain, language, name)
        if config.use and DEFAULT not in config.use.get(DEFAULT, {}):
            raise ConfigError("use.default.default is missing; name the set for documents that no other line fits.")

    def of(self, domain: str, language: str) -> BoundSet:
        """The set for a document."""
        use = self._config.use
        own, common = use.get(domain, {}), use[DEFAULT]
        return self.sets[own.get(language) or common.get(language) or own.get(DEFAULT) or common[DEFAULT]]

    def _resolve(self, name: str, below: tuple[str, ...]) -> BoundSet:
        if name in below:
            raise ConfigError(f"sets.{name} inherits from itself ({' <- '.join((*below, name))}); cut the circle.")
        entry = self._config.sets[name]
        lines: dict[str, Bound] = {}
        pages: dict[str, Bound] = {}
        for parent in entry.inherits:
            if parent not in self._config.sets:
                raise ConfigError(f"sets.{name}.inherits names {parent}, which is no set; known: {_names(self._config.sets)}.")
            inherited = self._resolve(parent, (*below, name))
            lines.update(inherited.lines)
            pages.update(inherited.pages)
        _lay(lines, entry.lines, LINE_RULES, f"sets.{name}.lines")
        _lay(pages, entry.pages, PAGE_RULES, f"sets.{name}.pages")
        return BoundSet(name, lines, pages)

    def _check(self, domain: str, language: str, name: str) -> None:
        if name not in self.sets:
            raise ConfigError(f"use.{domain}.{language} = {name} is no set; known: {_names(self.sets)}.")
        entry = self.sets[name]
        for table, rules in ((LINE_RULES, entry.lines), (PAGE_RULES, entry.pages)):
            for rule_name in rules:
                languages = table[rule_name].languages
                if languages and language not in languages:
                    raise ConfigError(
                        f"use.{domain}.{language} = {name}: its rule {rule_name} is made for {', '.join(languages)} and must "
                        f"not judge {language}; set the rule to null there or use another set."
                    )


def _lay(into: dict[str, Bound], families: Families, table: dict[str, Rule], where: str) -> None:
    for family, rules in families.items():
        for short, bound in rules.items():
            name = f"{family}.{short}"
            try:
                find(table, name)
            except KeyError as error:
                raise ConfigError(f"{where}.{name}: {error.args[0]}") from None
            if bound is None:
                into.pop(name, None)
            else:
                into[name] = bound


def _names(sets: Mapping[str, object]) -> str:
    return ", ".join(sorted(sets))
