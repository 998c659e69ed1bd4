"""Every setting of the data line, typed, with its default and its reason; one class a section."""

from __future__ import annotations

from dataclasses import dataclass

from core.config import ConfigError, setting


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
class ExtractConfig:
    """Raw files into documents."""

    shards: int = setting(8, "files a stage's documents are kept in; fixed for a run, about 256 MB of text each is good")

    def __post_init__(self) -> None:
        if not 1 <= self.shards <= 100_000:
            raise ConfigError(f"shards = {self.shards} must be from 1 to 100000.")


@dataclass(frozen=True)
class DataConfig:
    """The data line's part of a run's YAML."""

    run: str = setting("", "the run's directory, a path or a URI")
    seed: int = setting(1, "seed of everything that is drawn")
    corpus: str = setting("", "root of the corpus, a path or a URI; empty: the demo's own crawl")
    spark: SparkConfig = setting(SparkConfig, "where and how Spark runs")
    extract: ExtractConfig = setting(ExtractConfig, "raw files into documents")
