"""Documents that hold benchmark items."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from core.config import ConfigError, setting
from core.storage import FileInfo, join, listing
from datapipe.document import DOMAINS

if TYPE_CHECKING:
    from datapipe.config import DataConfig


@dataclass(frozen=True)
class DecontaminateConfig:
    """Documents that share an n-gram with a benchmark's test items are removed."""

    benchmarks: dict[str, str] = setting(
        {}, "name: glob of its files (relative to the corpus, or a URI); a name without a reader is read as JSONL or text"
    )
    mode: Literal["strict", "cut"] = setting("strict", "strict: the whole document goes; cut: the shared words go")
    words: int = setting(13, "words an n-gram in spaced languages (13 as GPT-3 and lm-eval)")
    characters: int = setting(30, "characters an n-gram in Chinese and Japanese; at 20, quoted laws hit 0.5 % of clean pages")
    short_words: int = setting(6, "an item shorter than an n-gram is looked for whole, down to so many words")
    short_characters: int = setting(15, "the same in Chinese and Japanese; shorter ones are looked for with their choices")
    share_characters: float = setting(
        0.7, "share of a Chinese or Japanese item's n-grams that a document must hold (PaLM's 70 %): laws and classics that an "
        "item quotes stand in clean texts too; 0: any one"
    )  # fmt: skip
    enough_characters: int = setting(80, "characters of such an item that count whatever their share: half of a long passage")
    any_ngram: list[str] = setting(
        ["QA", "Profession-Math"], "domains of questions, in which one shared n-gram is enough in those languages too"
    )
    frequent: int = setting(20, "an n-gram in more documents is a template or a licence: not counted, but reported")

    def __post_init__(self) -> None:
        if not 1 <= self.short_words <= self.words or not 1 <= self.short_characters <= self.characters:
            raise ConfigError("short_words and short_characters must be from 1 to words and characters.")
        for domain in self.any_ngram:
            if domain not in DOMAINS:
                raise ConfigError(f"any_ngram: {domain!r} is no domain; use {', '.join(DOMAINS)}.")
        if not 0 <= self.share_characters <= 1:
            raise ConfigError(f"share_characters = {self.share_characters} must be from 0 (any n-gram) to 1 (all of them).")

    def located(self, corpus: str) -> dict[str, str]:
        """The globs with the corpus' root before those that are relative."""
        return {
            name: glob if "://" in glob or glob.startswith("/") or not corpus else join(corpus, glob)
            for name, glob in self.benchmarks.items()
        }

    def files(self, config: DataConfig) -> list[FileInfo]:
        """The benchmark files: the output depends on them."""
        return [info for glob in self.located(config.corpus).values() for info in listing(glob)]
