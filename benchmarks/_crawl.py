"""Any amount of crawled HTML for benchmarks, made by replicating and perturbing real pages, the same on every machine.

A third of the pages are near copies (up to 1 % of the words, in Chinese the characters, of their text drawn anew), the others
are new (half of them drawn anew); markup, charset and length stay as they were. Hosts are made up, 500 pages of one at most.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from warcio.archiveiterator import ArchiveIterator
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from datapipe.sources.charset import declared_in, decode

_TEXT = re.compile(r">([^<>{}]{20,})<")
_UNITS = re.compile(r"[A-Za-z]{2,}|[\u4e00-\u9fff]")
LONGEST = 1_000_000  # bytes of a page


def pages(corpus: Path) -> list[str]:
    """The HTML of CORPUS/warc/*.warc.gz, decoded."""
    found: list[str] = []
    for path in sorted((corpus / "warc").glob("*.warc.gz")):
        with path.open("rb") as handle:
            for record in ArchiveIterator(handle):
                if record.rec_type == "response":
                    body = record.content_stream().read()
                    if 2_000 < len(body) < LONGEST:
                        found.append(decode(body, declared_in(body)).text)
    if not found:
        raise SystemExit(f"error: {corpus}/warc: holds no *.warc.gz with pages; give CORPUS=dir.")
    return found


def perturbed(corpus: Path, megabytes: float) -> Iterator[bytes]:
    """Pages of that many MB of HTML in all, as UTF-8."""
    real = pages(corpus)
    words = sorted({word for page in real for word in _UNITS.findall(page)})
    groups = [np.array([w for w in words if w.isascii()], object), np.array([w for w in words if not w.isascii()], object)]
    draw = np.random.default_rng(11)
    size = number = 0
    while size < megabytes * 1e6:
        share = 0.01 * draw.random() if draw.random() < 1 / 3 else 0.5
        page = _TEXT.sub(lambda text: _changed(text.group(), groups, share, draw), real[number % len(real)])  # noqa: B023
        raw = re.sub(r"charset=[\"']?[\w-]+", "charset=utf-8", page).encode("utf-8", "replace")
        size += len(raw)
        number += 1
        yield raw


def _changed(text: str, groups: list[np.ndarray], share: float, draw: np.random.Generator) -> str:
    spans = [match.span() for match in _UNITS.finditer(text)]
    chosen = np.flatnonzero(draw.random(len(spans)) < share)
    parts, place = [], 0
    for number, pick in zip(chosen.tolist(), draw.random(len(chosen)).tolist(), strict=True):
        begin, end = spans[number]
        pool = groups[not text[begin].isascii()]
        parts += [text[place:begin], pool[int(pick * len(pool))]]
        place = end
    return "".join([*parts, text[place:]])


def write(corpus: Path, folder: Path, megabytes: float, files: int) -> tuple[int, int]:
    """Writes the pages as FOLDER/web/NNNNN.warc.gz; returns their number and their bytes of HTML."""
    (folder / "web").mkdir(parents=True)
    handles = [(folder / "web" / f"{n:05d}.warc.gz").open("wb") for n in range(files)]
    writers = [WARCWriter(handle, gzip=True) for handle in handles]
    headers = [("Content-Type", "text/html; charset=utf-8")]
    count = size = 0
    for count, raw in enumerate(perturbed(corpus, megabytes), 1):
        writer = writers[count % files]
        http = StatusAndHeaders("200 OK", headers, protocol="HTTP/1.1")
        url = f"http://host{count // 500}.example/{count}"
        writer.write_record(writer.create_warc_record(url, "response", payload=io.BytesIO(raw), http_headers=http))
        size += len(raw)
    for handle in handles:
        handle.close()
    return count, size
