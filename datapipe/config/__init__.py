"""Every setting of the data line, typed, with its default and its reason; one class a section, one file a room."""

from __future__ import annotations

from dataclasses import dataclass

from core.config import setting
from datapipe.config.decontaminate import DecontaminateConfig
from datapipe.config.dedup import DedupDocumentsConfig, DedupParagraphsConfig
from datapipe.config.launch import CrawlConfig, SparkConfig
from datapipe.config.mix import DomainShare, EncodeConfig, QualityBand, ResampleConfig, TrainTokenizerConfig
from datapipe.config.quality import FilterQualityConfig, QualitySources, Selector, TrainQualityConfig
from datapipe.config.rules import PII_KINDS, Bound, CleanConfig, RuleSet
from datapipe.config.sources import ExtractConfig, HtmlConfig, InputConfig
from datapipe.config.triage import TriageBounds, TriageConfig, UrlList

__all__ = [
    "PII_KINDS",
    "Bound",
    "CleanConfig",
    "CrawlConfig",
    "DataConfig",
    "DecontaminateConfig",
    "DedupDocumentsConfig",
    "DedupParagraphsConfig",
    "DomainShare",
    "EncodeConfig",
    "ExtractConfig",
    "FilterQualityConfig",
    "HtmlConfig",
    "InputConfig",
    "QualityBand",
    "QualitySources",
    "ResampleConfig",
    "RuleSet",
    "Selector",
    "SparkConfig",
    "TrainQualityConfig",
    "TrainTokenizerConfig",
    "TriageBounds",
    "TriageConfig",
    "UrlList",
]


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
