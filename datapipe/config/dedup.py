"""Repeated paragraphs and near-duplicate documents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.config import ConfigError, setting
from core.storage import FileInfo, join, listing
from datapipe.document import DOMAINS

Scope = Literal["corpus", "language", "domain"]


@dataclass(frozen=True)
class DedupParagraphsConfig:
    """Repeated paragraphs are cut out of documents."""

    scope: Literal["corpus", "domain"] = setting("corpus", "where a paragraph may not be repeated")
    repeats: Literal["keep_first", "drop_above"] = setting(
        "keep_first", "keep_first: the first by (id, position) stays; drop_above: all go that stand more than `above` times"
    )
    above: int = setting(10, "for drop_above: page furniture repeats far more often than a quotation does")
    min_words: int = setting(10, "shorter paragraphs are exempt: headings and phrases repeat by nature")
    min_characters: int = setting(20, "the same for Chinese and Japanese, in characters")
    furniture: int = setting(
        20, "a shorter paragraph at an end of more than so many pages of one host is furniture and goes from all; 0: none is"
    )
    min_left: float = setting(0.3, "a document that keeps less than this share of its words is removed: scraps are left")
    wrapped_from: float = setting(0.05, "blank lines for each line of text from which on paragraphs end at blank lines only")
    exempt_domains: list[str] = setting(["Code"], "domains left alone: a function that occurs twice is no furniture")

    def __post_init__(self) -> None:
        if self.above < 1:
            raise ConfigError(f"above = {self.above} must be at least 1.")
        if self.furniture < 0:
            raise ConfigError(f"furniture = {self.furniture} must be 0 (none) or more.")
        if not 0 <= self.min_left <= 1:
            raise ConfigError(f"min_left = {self.min_left} must be from 0 to 1.")


@dataclass(frozen=True)
class DedupDocumentsConfig:
    """Near-duplicate documents: one survivor of each group of copies stays."""

    threshold: float = setting(0.8, "true Jaccard of shingle sets from which on two documents are near-duplicates")
    words: int = setting(5, "words a shingle in spaced languages")
    characters: int = setting(5, "characters a shingle in Chinese and Japanese")
    permutations: int = setting(120, "MinHash permutations; 20 x 6 finds a pair at Jaccard 0.8 with probability 0.998")
    bands: int = setting(20, "bands of a signature; two documents meet where one band is equal")
    rows: int = setting(6, "permutations a band")
    scheme: Literal["affine32", "legacy"] = setting("affine32", "datasketch's scheme of permutations (legacy: before 2.0)")
    seed: int = setting(1, "seed of the permutations, as datasketch's")
    scope: Scope = setting(
        "corpus",
        "which documents are compared: all; those of one language, whatever their domain; or those of one domain, whatever "
        "their source and language",
    )
    domain_scopes: dict[str, Scope] = setting(
        {}, "domains with a scope of their own: {Book: domain} compares books with books only, across all sources and languages"
    )
    leaders: int = setting(256, "documents of a bucket that later ones are compared with; those beyond are named and counted")
    partners: int = setting(4, "of a bucket's leaders within reach, the most alike by signature that are verified")
    driver_edges: int = setting(
        5_000_000, "verified edges that the driver may hold (about 1 GB of its Python); beyond it GraphX finds the clusters"
    )
    against: list[str] = setting([], "earlier runs (their directories) whose documents count as already there")

    def files(self, config: object) -> list[FileInfo]:
        """What an earlier run writes when it is made anew: its documents decide which of this run's stay. Raises ConfigError
        where one has not finished, before what was made with it is cleared."""
        found = []
        for run in self.against:
            folder = join(run, "dedup_documents")
            infos = [info for name in ("manifest.json", "index.json") for info in listing(join(folder, name))]
            if len(infos) < 2:
                raise ConfigError(
                    f"dedup_documents.against: {run} has no {folder}/manifest.json with an index.json beside it; name the "
                    "directory of a run that has finished this stage."
                )
            found += infos
        return found

    def __post_init__(self) -> None:
        if self.bands * self.rows > self.permutations:
            raise ConfigError(
                f"bands = {self.bands} with rows = {self.rows} need {self.bands * self.rows} permutations; "
                f"permutations = {self.permutations} is too few."
            )
        if not 0 < self.threshold <= 1:
            raise ConfigError(f"threshold = {self.threshold} must be above 0 and at most 1.")
        for name in ("words", "characters", "permutations", "bands", "rows", "leaders", "partners"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} = {getattr(self, name)} must be at least 1.")
        for domain in self.domain_scopes:
            if domain not in DOMAINS:
                raise ConfigError(f"domain_scopes.{domain}: no such domain; use {', '.join(DOMAINS)}.")
