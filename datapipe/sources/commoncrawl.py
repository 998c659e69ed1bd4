"""Common Crawl, straight from its host: the first files of a snapshot's path list, over https or s3.

The list is one small gzip file (`crawl-data/CC-MAIN-2024-22/warc.paths.gz`); each line is the path of a crawl file of
about 1 GB. Files are read as they stream in, and reading goes on where it stopped when the network fails.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.config import ConfigError, setting
from core.storage import join
from datapipe.sources.base import InputFile
from datapipe.sources.files import DamagedFile, open_buffered
from datapipe.sources.warc import Warc


@dataclass(frozen=True)
class CommonCrawl(Warc):
    """A snapshot of Common Crawl, on the run's corpus or, beside a corpus of one's own, on a host of its own."""

    host: str = setting("", "https://data.commoncrawl.org, or s3://commoncrawl from inside AWS; empty: the run's corpus is it")
    snapshot: str = setting("CC-MAIN-2024-22", "name of the snapshot")
    kind: Literal["warc", "wet"] = setting("warc", "whole pages, or the text that Common Crawl made of them")
    first: int = setting(0, "number of the first file of the list that is read")
    count: int = setting(1, "how many files are read; each is about 1 GB (warc) or 0.1 GB (wet)")

    def __post_init__(self) -> None:
        if self.count < 1 or self.first < 0:
            raise ConfigError(f"count = {self.count} must be at least 1, and first = {self.first} at least 0.")

    def files(self, corpus: str, pattern: str) -> list[InputFile]:
        """The files of the list (the pattern is not used). They never change, so their sizes are not asked for one by one."""
        host = self.host or corpus
        listed = join(host, "crawl-data", self.snapshot, f"{self.kind}.paths.gz")
        try:
            with open_buffered(listed) as stream:
                paths = [line.decode().strip() for line in stream][self.first : self.first + self.count]
        except (DamagedFile, OSError) as error:
            raise ConfigError(f"extract.inputs: the path list {listed} cannot be read: {error}.") from error
        if not paths:
            raise ConfigError(f"extract.inputs: the path list {listed} holds no file number {self.first}.")
        size = 1 << 30 if self.kind == "warc" else 1 << 27  # about; it only balances the work
        return [InputFile(join(host, path), path, size, self.snapshot) for path in paths]
