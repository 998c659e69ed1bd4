"""Text files, in any encoding: one document a file, or one a block where a pattern says what stands between blocks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from core.config import ConfigError, setting
from datapipe.config import HtmlConfig
from datapipe.sources.base import InputFile, Record, Source, removed
from datapipe.sources.charset import control_share, decode
from datapipe.sources.files import open_members


@dataclass(frozen=True)
class Text(Source):
    """Plain text, Markdown, LaTeX, source code: whatever is one file of text."""

    encoding: str = setting("", "encoding of files that are not UTF-8; empty: detected. A wrong one is passed over")
    between: str = setting("", "regular expression of what stands between documents in a file; empty: the file is one")
    lines: int = setting(0, "lines that make one document, for files of one function or sentence a line; 0: not cut so")
    max_bytes: int = setting(100_000_000, "largest file, decompressed: a document is held in memory")

    def __post_init__(self) -> None:
        try:
            re.compile(self.between)
        except re.error as error:
            raise ConfigError(f"between = {self.between!r} is no regular expression: {error}.") from None
        if self.between and self.lines:
            raise ConfigError(f"lines = {self.lines} cannot go with between = {self.between!r}; set one.")

    def read(self, file: InputFile, html: HtmlConfig) -> Iterator[Record]:
        with open_members(file.uri) as members:
            data = bytearray()
            while chunk := members.read(1 << 20):
                data += chunk
                if len(data) > self.max_bytes:
                    yield removed("0", "too_large", len(data), self.max_bytes, "bytes of a file read whole")
                    return
        decoded = decode(bytes(data), [self.encoding] if self.encoding else [])
        if (controls := control_share(decoded.text)) > 0.05:
            yield removed("0", "binary", controls, 0.05, "share of control characters")
            return
        for number, text in enumerate(self._cut(decoded.text)):
            yield Record(str(number), text, metadata={"charset": decoded.encoding})

    def _cut(self, text: str) -> Iterator[str]:
        if self.between:
            yield from (block for block in re.split(self.between, text.replace("\r\n", "\n")) if block and not block.isspace())
        elif self.lines:
            lines = [line for line in text.splitlines() if line and not line.isspace()]
            yield from ("\n".join(lines[start : start + self.lines]) for start in range(0, len(lines), self.lines))
        else:
            yield text
