"""Raw files: what is read, how, and the bounds past which nothing is looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.config import ConfigError, setting
from core.storage import FileInfo, join
from datapipe.config.triage import TriageConfig
from datapipe.document import DOMAINS
from datapipe.text.language import LANGUAGES

if TYPE_CHECKING:
    from datapipe.config import DataConfig


@dataclass(frozen=True)
class HtmlConfig:
    """Web pages: how their text is found, and the bounds past which a page is not looked at."""

    main_text: float = setting(-0.25, "log-odds from which a line is main text; higher gives less and surer text")
    sibling: float = setting(3.0, "a linkless paragraph right after a chosen sibling may be less likely by this")
    scripted_below: int = setting(200, "pages with less main text, in characters, give that of noscript or JSON-LD; 0: never")
    max_bytes: int = setting(5_000_000, "largest body of a response, decompressed")
    max_characters: int = setting(4_000_000, "longest page in characters")
    max_elements: int = setting(100_000, "most elements of a page; of 1,020 real pages 99 % have under 4,300")
    max_depth: int = setting(250, "deepest nesting; the parser itself drops what lies deeper than 256, without a word")
    alone_characters: int = setting(1_000_000, "longer pages are extracted in a process that can be killed")
    alone_tags: int = setting(20_000, "and so are pages with more tags than this")
    alone_tag: int = setting(65_000, "and pages with a single tag of so many characters: attributes cost their square")
    cpu_seconds: int = setting(30, "CPU time, not time on the clock, after which it is killed; real pages need one or two")
    max_memory: int = setting(2_000_000_000, "bytes that the process may take for a page")

    def __post_init__(self) -> None:
        if not -8 <= self.main_text <= 8:
            raise ConfigError(f"extract.html.main_text = {self.main_text} must be from -8 (all lines) to 8 (none).")
        for name in ("max_bytes", "max_characters", "max_elements", "alone_tag", "cpu_seconds", "max_memory"):
            if getattr(self, name) < 1:
                raise ConfigError(f"extract.html.{name} = {getattr(self, name)} must be at least 1.")
        if not 1 <= self.max_depth <= 250:
            raise ConfigError(f"extract.html.max_depth = {self.max_depth} must be from 1 to 250: the parser sees no deeper.")


@dataclass(frozen=True)
class InputConfig:
    """One kind of input: which files, how they are read, and what they are."""

    glob: str = setting("", "files below the corpus; ** crosses folders; a file belongs to the first rule that names it")
    source: str = setting("text", "reader: warc, commoncrawl, records, instruct, parquet, text, wikipedia, stackexchange")
    domain: str = setting("WebText", "domain of the report's Table 1")
    language: str = setting("", "language, where it is known (`code` for sources); empty: identified, and held to `languages`")
    markup: str = setting("plain", "what a text is written in: plain, markdown, book, law ... (datapipe/sources/__init__.py)")
    markup_of: dict[str, str] = setting({}, "markup by domain, for a file whose records name their domains")
    options: dict[str, Any] = setting({}, "options of the reader; see its file in datapipe/sources/")

    def __post_init__(self) -> None:
        if self.domain not in DOMAINS:
            raise ConfigError(f"domain = {self.domain!r} must be one of {', '.join(DOMAINS)}.")
        from datapipe import sources  # they read this module's settings

        for name in (self.markup, *self.markup_of.values()):
            sources.markup(name)
        sources.make(self.source, self.options)


@dataclass(frozen=True)
class ExtractConfig:
    """Raw files into documents."""

    shards: int = setting(8, "files a stage's documents are kept in; fixed for a run, about 256 MB of text each is good")
    inputs: list[InputConfig] = setting([], "the kinds of input, the first that names a file wins")
    collections: dict[str, InputConfig] = setting(
        {}, "more of the same by name, as in configs/sources/, so that several such files can be extended; read after `inputs`"
    )
    split_bytes: int = setting(256 << 20, "a larger file is read in parts by several tasks, where its format lets it be cut")
    languages: list[str] = setting(list(LANGUAGES), "documents in other languages go to the ledger; empty: all languages stay")
    max_document_bytes: int = setting(20_000_000, "largest document, in bytes of text")
    html: HtmlConfig = setting(HtmlConfig, "web pages")
    triage: TriageConfig = setting(TriageConfig, "what of a crawl goes before its text is extracted")

    def __post_init__(self) -> None:
        if not 1 <= self.shards <= 100_000:
            raise ConfigError(f"shards = {self.shards} must be from 1 to 100000.")
        if self.split_bytes < 1:
            raise ConfigError(f"split_bytes = {self.split_bytes} must be at least 1; 268435456 is 256 MiB.")

    @property
    def rules(self) -> list[InputConfig]:
        """All rules, in the order in which they claim files."""
        return [*self.inputs, *self.collections.values()]

    def files(self, config: DataConfig) -> list[FileInfo]:
        """The files that these settings read: part of what the stage's output depends on."""
        from datapipe.sources.inputs import find
        from datapipe.sources.page.scores import fitted

        claimed = find(self, config.corpus or join(config.run, "crawl"), must_exist=bool(config.corpus))
        found = [FileInfo("weights of the page extractor", 0, fitted())]
        found += [FileInfo(file.path, file.size, file.version) for file, _ in claimed]
        if self.triage.use and self.triage.lists:
            from datapipe.triage import lists

            found += lists.files(self.triage.lists)
        return found
