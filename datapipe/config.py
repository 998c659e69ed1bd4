"""Every setting of the data line, typed, with its default and its reason; one class a section."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from core import storage
from core.config import ConfigError, setting
from core.storage import FileInfo, join, listing
from datapipe.document import DOMAINS
from datapipe.text.language import LANGUAGES
from tokenizer.config import TokenizerConfig

PII_KINDS = ("email", "ip", "phone", "zh_mobile", "zh_id", "bank_card")


@dataclass(frozen=True)
class SparkConfig:
    """Where and how Spark runs. Nothing here changes a result."""

    master: str = setting("local[2]", "Spark master: local[N] on one machine, spark://host:7077 or yarn on a cluster")
    driver_memory: str = setting("3g", "heap of the driver's JVM; fixed at launch, so spark-submit must be given it")
    executor_memory: str = setting("4g", "heap of each executor's JVM on a cluster; Python workers come on top")
    partitions: int = setting(8, "partitions of each shuffle (keys and hashes; text only once, at extract)")
    adaptive: bool = setting(True, "Spark's adaptive execution; results are the same without it")
    python_files: str = setting("", "archive with this project for executors that do not have it installed (--py-files)")
    conf: dict[str, str] = setting({}, "further Spark properties, as they are")

    def __post_init__(self) -> None:
        if self.partitions < 1:
            raise ConfigError(f"partitions = {self.partitions} must be at least 1.")


@dataclass(frozen=True)
class CrawlConfig:
    """The demo's own corpus, from this machine; falls away where a corpus is given."""

    pages: int = setting(500, "pydoc pages to crawl")
    packages: list[str] = setting(
        ["click", "fsspec", "hypothesis", "jinja2", "markdown_it", "packaging", "pyparsing", "rich", "tqdm", "urllib3", "yaml"],
        "packages documented beside the standard library, where installed; those with huge pages are no good here",
    )
    code_bytes: int = setting(6_000_000, "size of the standard-library sources taken")

    def __post_init__(self) -> None:
        if self.pages < 1:
            raise ConfigError(f"pages = {self.pages} must be at least 1.")

    def files(self, config: DataConfig) -> list[FileInfo]:
        """What the crawl depends on besides its settings: this Python, and the project's own documents."""
        from datapipe.crawl.local import project_files

        python = FileInfo(f"python {sys.version}", 0, "")
        return [python, *(info for path in project_files() for info in listing(str(path)))]


@dataclass(frozen=True)
class HtmlConfig:
    """Web pages: how their text is found, and the bounds past which a page is not looked at."""

    fast: bool = setting(True, "trafilatura without its second opinions: 1.5 times as fast, F1 as good")
    comments: bool = setting(False, "readers' comments below an article are text too")
    tables: bool = setting(True, "text inside tables")
    precision: bool = setting(False, "rather less text than wrong text")
    max_bytes: int = setting(5_000_000, "largest body of a response, decompressed")
    max_characters: int = setting(4_000_000, "longest page in characters")
    max_elements: int = setting(20_000, "most elements of a page; of 1,020 real pages two have more, 99 % under 4,300")
    max_children: int = setting(2_000, "most elements directly below one: time grows with its square; real ones have fewer")
    max_depth: int = setting(250, "deepest nesting; the parser itself drops what lies deeper than 256, without a word")


@dataclass(frozen=True)
class InputConfig:
    """One kind of input: which files, how they are read, and what they are."""

    glob: str = setting("", "files below the corpus; ** crosses folders; a file belongs to the first rule that names it")
    source: str = setting("text", "reader: warc, commoncrawl, records, parquet, text, wikipedia, stackexchange")
    domain: str = setting("WebText", "domain of the report's Table 1")
    language: str = setting("", "language, where it is known (`code` for sources); empty: identified, and held to `languages`")
    markup: str = setting("plain", "what a text is written in: plain, markdown, latex, wikitext, html, book, code, concode")
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
    languages: list[str] = setting(list(LANGUAGES), "documents in other languages go to the ledger; empty: all languages stay")
    max_document_bytes: int = setting(20_000_000, "largest document, in bytes of text")
    html: HtmlConfig = setting(HtmlConfig, "web pages")

    def __post_init__(self) -> None:
        if not 1 <= self.shards <= 100_000:
            raise ConfigError(f"shards = {self.shards} must be from 1 to 100000.")

    def files(self, config: DataConfig) -> list[FileInfo]:
        """The files that these settings read: part of what the stage's output depends on."""
        from datapipe.sources.inputs import find

        claimed = find(self, config.corpus or join(config.run, "crawl"), must_exist=bool(config.corpus))
        return [FileInfo(file.path, file.size, file.version) for file, _ in claimed]


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
    min_left: float = setting(0.3, "a document that keeps less than this share of its words is removed: scraps are left")
    wrapped_from: float = setting(0.05, "blank lines for each line of text from which on paragraphs end at blank lines only")
    exempt_domains: list[str] = setting(["Code"], "domains left alone: a function that occurs twice is no furniture")

    def __post_init__(self) -> None:
        if self.above < 1:
            raise ConfigError(f"above = {self.above} must be at least 1.")
        if not 0 <= self.min_left <= 1:
            raise ConfigError(f"min_left = {self.min_left} must be from 0 to 1.")


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
    leaders: int = setting(256, "documents of a bucket that later ones are compared with; those beyond are counted")
    driver_edges: int = setting(20_000_000, "verified edges that one driver may hold (about 2 GB); beyond it the job refuses")
    against: list[str] = setting([], "earlier runs (their directories) whose documents count as already there")

    def __post_init__(self) -> None:
        if self.bands * self.rows > self.permutations:
            raise ConfigError(
                f"bands = {self.bands} with rows = {self.rows} need {self.bands * self.rows} permutations; "
                f"permutations = {self.permutations} is too few."
            )
        if not 0 < self.threshold <= 1:
            raise ConfigError(f"threshold = {self.threshold} must be above 0 and at most 1.")
        if min(self.words, self.characters, self.leaders) < 1:
            raise ConfigError("words, characters and leaders must each be at least 1.")


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
    frequent: int = setting(20, "an n-gram in more documents is a template or a licence: not counted, but reported")

    def __post_init__(self) -> None:
        if not 1 <= self.short_words <= self.words or not 1 <= self.short_characters <= self.characters:
            raise ConfigError("short_words and short_characters must be from 1 to words and characters.")

    def located(self, corpus: str) -> dict[str, str]:
        """The globs with the corpus' root before those that are relative."""
        return {
            name: glob if "://" in glob or glob.startswith("/") or not corpus else join(corpus, glob)
            for name, glob in self.benchmarks.items()
        }

    def files(self, config: DataConfig) -> list[FileInfo]:
        """The benchmark files: the output depends on them."""
        return [info for glob in self.located(config.corpus).values() for info in storage.listing(glob)]


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
    store_measures: bool = setting(False, "write every measure of every document, so that thresholds can be tried later")
    longest: int = setting(10_000_000, "characters; a longer document is removed unread (memory: about 150 bytes a character)")

    def __post_init__(self) -> None:
        from datapipe.rules.sets import Bounds  # the rules themselves need numpy and their tables: only where used

        Bounds(self)
        for kind in self.pii:
            if kind not in PII_KINDS:
                raise ConfigError(f"pii holds {kind!r}, which is no kind; known: {', '.join(PII_KINDS)}.")
        if self.longest < 1:
            raise ConfigError(f"longest = {self.longest} must be at least 1.")


@dataclass(frozen=True)
class DomainShare:
    """One row of the domain table."""

    proportion: float | None = setting(
        None, "share of the training tokens (any scale: the column is normalised); null in every row: epochs decide"
    )
    epochs: float = setting(1.0, "how often the domain's text may be seen; below 1 only that part of it is used at all")
    languages: dict[str, float] = setting({}, "ratio of languages in tokens, such as {en: 2, zh: 1}; empty: as they come")

    def __post_init__(self) -> None:
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
    minimum_documents: int = setting(1, "documents taken of each domain (or language of it) even where fewer would do")
    tokens_per_byte: dict[str, float] = field(
        default_factory=_tokens_per_byte,
        metadata={"why": "tokens a UTF-8 byte by domain or else language, for budgets before a tokenizer exists"},
    )

    def __post_init__(self) -> None:
        if self.tokens is not None and self.tokens < 1:
            raise ConfigError(f"tokens = {self.tokens} must be at least 1, or null for all that there is.")
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

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.sample_bytes < 1:
            raise ConfigError(f"sample_bytes = {self.sample_bytes} must be at least 1.")


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


@dataclass(frozen=True)
class DataConfig:
    """The data line's part of a run's YAML."""

    run: str = setting("", "the run's directory, a path or a URI")
    seed: int = setting(1, "seed of everything that is drawn")
    corpus: str = setting("", "root of the corpus, a path or a URI; empty: the demo's own crawl")
    spark: SparkConfig = setting(SparkConfig, "where and how Spark runs")
    crawl: CrawlConfig = setting(CrawlConfig, "the demo's own corpus")
    extract: ExtractConfig = setting(ExtractConfig, "raw files into documents")
    clean: CleanConfig = setting(CleanConfig, "rules by domain and language")
    dedup_paragraphs: DedupParagraphsConfig = setting(DedupParagraphsConfig, "repeated paragraphs are cut out")
    train_quality: TrainQualityConfig = setting(TrainQualityConfig, "the quality classifiers")
    filter_quality: FilterQualityConfig = setting(FilterQualityConfig, "pages that score too low go")
    dedup_documents: DedupDocumentsConfig = setting(DedupDocumentsConfig, "near-duplicate documents go")
    decontaminate: DecontaminateConfig = setting(DecontaminateConfig, "documents with benchmark items go")
    resample: ResampleConfig = setting(ResampleConfig, "the mix of domains")
    train_tokenizer: TrainTokenizerConfig = setting(TrainTokenizerConfig, "the vocabulary")
    encode: EncodeConfig = setting(EncodeConfig, "token shards")
