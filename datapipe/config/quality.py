"""What the quality classifiers learn from, and how much they keep."""

from __future__ import annotations

from dataclasses import dataclass, field

from core.config import ConfigError, setting


@dataclass(frozen=True)
class Selector:
    """Documents by where they come from; every list that is given must hold."""

    domains: list[str] = setting([], "domain names")
    sources: list[str] = setting([], "globs over the corpus-relative source, such as domains/QA/*")

    def __post_init__(self) -> None:
        if not self.domains and not self.sources:
            raise ConfigError("domains and sources are both empty; name at least one of them.")


@dataclass(frozen=True)
class QualitySources:
    """What a language's classifier learns to tell apart."""

    positives: list[Selector] = setting([], "documents that are as web pages should be")
    negatives: list[Selector] = setting([], "documents as the crawl brings them")


def _quality_sources() -> dict[str, QualitySources]:
    reference = Selector(domains=["WorldKnowledge", "AcademicPaper", "Book", "QA"])
    chinese = Selector(domains=["WorldKnowledge", "Book", "Profession-Law", "QA"])
    crawl = Selector(domains=["WebText"])
    return {
        "en": QualitySources(positives=[reference], negatives=[crawl]),
        "zh": QualitySources(positives=[chinese], negatives=[crawl]),
    }


@dataclass(frozen=True)
class TrainQualityConfig:
    """The fastText classifier that tells reference-like text from random crawl, one for each language."""

    languages: dict[str, QualitySources] = field(
        default_factory=_quality_sources, metadata={"why": "positives and negatives of each language, by domain or source"}
    )
    minimum: int = setting(40, "documents a class below which no classifier is trained and the language passes unfiltered")
    documents: int = setting(20_000, "documents a class at most, chosen by content hash")
    per_host: int = setting(100, "documents of one host (or one file) at most, or a large site would be all that a class is")
    windows: int = setting(4, "windows cut from each document: the classifier sees windows, so it cannot learn lengths")
    window: int = setting(200, "words (or characters) a window")
    held_out: float = setting(0.25, "share of hosts that only measure: half of them calibrate, half give the AUC")
    unseen_domains: bool = setting(
        True, "train once more without each positive domain, and measure on it: does the model know quality or its sources?"
    )
    dim: int = setting(16, "size of the word vectors")
    epochs: int = setting(15, "passes over the windows")
    rate: float = setting(0.5, "learning rate; halved when training gives NaN")
    ngrams: int = setting(2, "word (or character) n-grams up to this length")
    min_count: int = setting(2, "rarer words are left out")
    bucket: int = setting(100_000, "hash buckets of the n-grams; fastText's default makes an 863 MB model, this one 7 MB")

    def __post_init__(self) -> None:
        if not 0 < self.held_out < 1:
            raise ConfigError(f"held_out = {self.held_out} must be between 0 and 1.")
        if self.bucket > 200_000:
            raise ConfigError(f"bucket = {self.bucket}: every worker loads the model; use 200000 or fewer.")


@dataclass(frozen=True)
class FilterQualityConfig:
    """Pages that the classifier scores too low are removed."""

    domains: list[str] = setting(["WebText"], "domains that are scored and filtered; the others are curated and pass")
    threshold: float | None = setting(None, "lowest score kept; null: the score that keeps `keep_rate`, from the model card")
    keep_rate: float = setting(0.7, "share of unseen crawl pages to keep where no threshold is given")

    def __post_init__(self) -> None:
        if not 0 < self.keep_rate <= 1:
            raise ConfigError(f"keep_rate = {self.keep_rate} must be above 0 and at most 1.")
