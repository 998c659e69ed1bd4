"""Any amount of crawled HTML for benchmarks, made by replicating and perturbing real pages, the same on every machine.

A third of the pages are near copies (up to 1 % of the words, in Chinese the characters, of their text drawn anew), the others
are new (half of them drawn anew); markup and length stay as they were. Hosts are made up, 500 pages of one at most.
"""

from __future__ import annotations

import io
import re
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from warcio.archiveiterator import ArchiveIterator
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from datapipe.sources.charset import declared_in, decode

_TEXT = re.compile(r">([^<>{}]{20,})<")
_UNITS = re.compile(r"[A-Za-z]{2,}|[\u4e00-\u9fff]")
_CHARSET = re.compile(r"charset=([\"']?)[\w-]+")
LONGEST = 1_000_000  # bytes of a page


class Real:
    """The real pages, where the units of their text lie, and the units that others may be drawn from."""

    def __init__(self, corpus: Path) -> None:
        self.pages: list[str] = []
        for path in sorted((corpus / "warc").glob("*.warc.gz")):
            with path.open("rb") as handle:
                for record in ArchiveIterator(handle):
                    body = record.content_stream().read() if record.rec_type == "response" else b""
                    if 2_000 < len(body) < LONGEST:
                        self.pages.append(_CHARSET.sub(r"charset=\1utf-8", decode(body, declared_in(body)).text))
        if not self.pages:
            raise SystemExit(f"error: {corpus}/warc: holds no *.warc.gz with pages; give CORPUS=dir.")
        self.spans = [self._spans(page) for page in self.pages]
        pool = {page[begin:end] for page, spans in zip(self.pages, self.spans, strict=True) for begin, end in spans.tolist()}
        self.pools = [np.array(sorted(unit for unit in pool if unit.isascii() is plain), object) for plain in (False, True)]

    @staticmethod
    def _spans(page: str) -> NDArray[np.int32]:
        found = [unit.span() for text in _TEXT.finditer(page) for unit in _UNITS.finditer(page, *text.span(1))]
        return np.array(found, np.int32).reshape(-1, 2)

    def perturbed(self, number: int) -> bytes:
        """Page `number` of the made crawl."""
        draw = np.random.default_rng((11, number))
        which = number % len(self.pages)
        page, spans = self.pages[which], self.spans[which]
        share = 0.01 * draw.random() if draw.random() < 1 / 3 else 0.5
        chosen = spans[draw.random(len(spans)) < share].tolist()
        parts, place = [], 0
        for (begin, end), pick in zip(chosen, draw.random(len(chosen)).tolist(), strict=True):
            pool = self.pools[page[begin].isascii()]
            parts += [page[place:begin], pool[int(pick * len(pool))]]
            place = end
        return "".join([*parts, page[place:]]).encode("utf-8", "replace")


@lru_cache(maxsize=1)
def real(corpus: Path) -> Real:
    return Real(corpus)


def write(corpus: Path, folder: Path, megabytes: float, files: int, cores: int = 2) -> tuple[int, int]:
    """Writes pages of that many MB of HTML as FOLDER/web/NNNNN.warc.gz; returns their number and their bytes."""
    (folder / "web").mkdir(parents=True)
    real(corpus)  # before the processes part, so that they share it
    with ProcessPoolExecutor(cores, get_context("fork")) as pool:
        share = megabytes * 1e6 / files
        written = [pool.submit(_write_file, corpus, folder, number, files, share) for number in range(files)]
        counts = [future.result() for future in written]
    return sum(count for count, _ in counts), sum(size for _, size in counts)


def _write_file(corpus: Path, folder: Path, number: int, files: int, share: float) -> tuple[int, int]:
    made, count, size = real(corpus), 0, 0
    http = StatusAndHeaders("200 OK", [("Content-Type", "text/html; charset=utf-8")], protocol="HTTP/1.1")
    with (folder / "web" / f"{number:05d}.warc.gz").open("wb") as handle:
        writer = WARCWriter(handle, gzip=True)
        while size < share:
            page = number + count * files
            raw = made.perturbed(page)
            url = f"http://host{page // 500}.example/{page}"
            writer.write_record(writer.create_warc_record(url, "response", payload=io.BytesIO(raw), http_headers=http))
            count, size = count + 1, size + len(raw)
    return count, size
