"""Where the data line runs, and the demo's own crawl."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.config import ConfigError, setting
from core.storage import FileInfo, listing

if TYPE_CHECKING:
    from datapipe.config import DataConfig


@dataclass(frozen=True)
class SparkConfig:
    """Where and how Spark runs. Nothing here changes a result."""

    master: str = setting("local[2]", "Spark master: local[N] on one machine, spark://host:7077 or yarn on a cluster")
    driver_memory: str = setting("3g", "heap of the driver's JVM; fixed at launch, so spark-submit must be given it")
    executor_memory: str = setting("4g", "heap of each executor's JVM on a cluster; Python workers come on top")
    partitions: int = setting(8, "partitions of each shuffle (keys and hashes; text only once, at extract)")
    adaptive: bool = setting(True, "Spark's adaptive execution; results are the same without it")
    python_files: str = setting("", "archive with this project for executors that do not have it installed (--py-files)")
    environment: str = setting("", "archive of a Python environment for executors, as venv-pack or conda-pack make it")
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
