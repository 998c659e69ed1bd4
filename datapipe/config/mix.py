"""The mix of domains, the sample for the vocabulary, and the token shards."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from core import storage
from core.config import ConfigError, setting
from core.storage import FileInfo
from datapipe.document import DOMAINS
from tokenizer.config import ROLES, TokenizerConfig


@dataclass(frozen=True)
class QualityBand:
    """A part of a domain's scored text; the bands of a domain stand best first."""

    share: float = setting(why="share of the tokens, of each language where the domain asks for a ratio of them")
    epochs: float = setting(1.0, "how often the band may be seen, times the domain's epochs; its tokens weigh as much more")

    def __post_init__(self) -> None:
        for name in ("share", "epochs"):
            if getattr(self, name) <= 0:
                raise ConfigError(f"{name} = {getattr(self, name)} must be above 0; leave the band out instead.")


@dataclass(frozen=True)
class DomainShare:
    """One row of the domain table."""

    proportion: float | None = setting(
        None, "share of the training tokens (any scale: the column is normalised); null in every row: epochs decide"
    )
    epochs: float = setting(1.0, "how often the domain's text may be seen; below 1 only that part of it is used at all")
    languages: dict[str, float] = setting({}, "ratio of languages in tokens, such as {en: 2, zh: 1}; empty: as they come")
    quality: dict[str, QualityBand] = setting(
        {}, "bands of the quality score, best first: each its share of the text and how often it is seen; empty: evenly"
    )

    def __post_init__(self) -> None:
        if self.quality and abs(sum(band.share for band in self.quality.values()) - 1) > 1e-6:
            shares = ", ".join(f"{name} {band.share:g}" for name, band in self.quality.items())
            raise ConfigError(f"quality: the bands' shares must add up to 1; they are {shares}.")
        if self.proportion is not None and self.proportion <= 0:
            raise ConfigError(f"proportion = {self.proportion} must be above 0; take the domain out of the mix instead.")
        if self.epochs <= 0:
            raise ConfigError(f"epochs = {self.epochs} must be above 0.")
        for language, ratio in self.languages.items():
            if ratio <= 0:
                raise ConfigError(f"languages.{language} = {ratio} must be above 0.")


def _tokens_per_byte() -> dict[str, float]:
    # An 80,000-entry vocabulary on unseen text of each kind; `default` is the mean over the further languages.
    rates = {"en": 0.24, "zh": 0.23, "default": 0.31}
    return {**rates, "Code": 0.24, "ClassicalChinese": 0.26, "Profession-Math": 0.4}


@dataclass(frozen=True)
class ResampleConfig:
    """The mix: how much of each domain is trained on."""

    tokens: int | None = setting(None, "token budget of the training run; null: the largest that the mix and corpus give")
    mix: dict[str, DomainShare] = setting({}, "domain -> share and epochs (configs/mix/); empty: everything once")
    on_shortfall: Literal["refuse", "scale"] = setting(
        "refuse", "where the corpus cannot give the budget in these epochs: refuse, or scale the budget down and say so"
    )
    on_missing: Literal["refuse", "drop"] = setting(
        "refuse", "where the corpus has nothing of a domain or language: refuse, or share its part among the others"
    )
    languages: dict[str, float] = setting(
        {}, "ratio of languages over all domains that the mix is held against, such as {en: 2, zh: 1}; empty: not checked"
    )
    languages_within: float = setting(0.25, "how far the ratio that comes out may be from `languages`, as a part of it")
    on_languages: Literal["report", "refuse"] = setting(
        "report", "where it is further away: say so in the facts, or refuse the mix"
    )
    minimum_documents: int = setting(1, "documents taken of each domain (or language of it) even where fewer would do")
    tokens_per_byte: dict[str, float] = field(
        default_factory=_tokens_per_byte,
        metadata={"why": "tokens a UTF-8 byte by domain or else language, for budgets before a tokenizer exists"},
    )

    def __post_init__(self) -> None:
        if self.tokens is not None and self.tokens < 1:
            raise ConfigError(f"tokens = {self.tokens} must be at least 1, or null for all that there is.")
        if self.languages and (len(self.languages) < 2 or min(self.languages.values()) <= 0):
            raise ConfigError(f"languages = {self.languages} must name at least two languages, each with a ratio above 0.")
        if len({share.proportion is None for share in self.mix.values()}) > 1:
            without = [domain for domain, share in self.mix.items() if share.proportion is None]
            raise ConfigError(f"mix: {', '.join(without)} lack a proportion; give it to every domain or to none.")
        for domain in self.mix:
            if domain not in DOMAINS:
                raise ConfigError(f"mix.{domain}: no such domain; use {', '.join(DOMAINS)}.")
        if "default" not in self.tokens_per_byte:
            raise ConfigError("tokens_per_byte lacks `default`, the rate of languages that it does not name.")

    def rate(self, domain: str, language: str) -> float:
        """Tokens a UTF-8 byte for a document."""
        rates = self.tokens_per_byte
        return rates.get(domain, rates.get(language, rates["default"]))


@dataclass(frozen=True)
class TrainTokenizerConfig(TokenizerConfig):
    """The vocabulary, and the sample of the mix that it is trained on."""

    sample_bytes: int = setting(
        1_200_000_000, "text to train on, drawn by content hash in the proportions of the mix (report: 12 million texts)"
    )
    unseen: float = setting(
        0.05, "share of each domain, by near-duplicate cluster, never trained on: what the job `compression` measures"
    )
    unseen_bytes: int = setting(4_000_000, "and about this much of a domain at most")
    path: str = setting(
        "",
        "a published tokenizer.json to take as it is, for going on with a model trained with it; nothing is trained then, and "
        "the settings above do not count",
    )
    control: dict[str, str] = setting(
        {},
        "control tokens of `path` by role: eos (ends a document), bos, unk, pad; those left out are as the "
        "tokenizer_config.json beside it has them",
    )

    def files(self, config: object) -> list[FileInfo]:
        """The published tokenizer and what stands beside it: the output depends on them. Raises ConfigError without one."""
        if self.path and not storage.exists(self.path):
            raise ConfigError(f"train_tokenizer.path = {self.path}: no such file; give a published tokenizer.json.")
        home = self.path.rpartition("/")[0] or "."
        beside = [storage.join(home, name) for name in ("tokenizer_config.json", "chat_template.jinja")]
        return [info for uri in (self.path, *beside) if self.path for info in storage.listing(uri)]

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("sample_bytes", "unseen_bytes"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} = {getattr(self, name)} must be at least 1.")
        wrong = sorted(set(self.control) - set(ROLES))
        if wrong:
            raise ConfigError(f"control.{wrong[0]}: no such role; there are {', '.join(ROLES)}.")
        if self.control and not self.path:
            raise ConfigError("control names tokens of a published tokenizer; give its file with path, or leave it out.")
        if not 0 <= self.unseen < 1:
            raise ConfigError(f"unseen = {self.unseen} must be from 0 to below 1.")


@dataclass(frozen=True)
class EncodeConfig:
    """Documents into token shards, for training and for validation."""

    validation: float = setting(0.002, "share of near-duplicate clusters held out for validation, by hash")
    least: int = setting(20, "clusters held out of each domain at least, or a tenth of them, or one where there are two")
    largest: float = setting(0.1, "clusters held out only to reach `least` are at most this share of the domain's text")
    engine: Literal["auto", "fastokens", "tokenizers"] = setting(
        "auto", "what encodes: auto is the fast engine, checked against `tokenizers` on a sample in every task"
    )

    def __post_init__(self) -> None:
        if not 0 <= self.validation < 1:
            raise ConfigError(f"validation = {self.validation} must be from 0 to below 1.")
        if not 0 < self.largest <= 1:
            raise ConfigError(f"largest = {self.largest} must be above 0 and at most 1.")
