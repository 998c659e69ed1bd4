"""Web pages with ground truth, and how near a text is to it, each set by the metric of those who made it.

| set | truth | metric, on a page's text | over pages |
|-|-|-|-|
| trafilatura | passages that must and must not be there | passages right, wrong, missed | counts summed, F1 of the sums |
| article-extraction | the article's body | shares of common 4-shingles of words | F1 of mean precision and mean recall |
| wcxb | the main content, seven kinds of pages | F1 of words as a bag, lower case | mean |
| daniel | cleaned text in five languages | occurrences of words as a bag (a Han character is a word) | mean |
| chinese-web | body copied by hand | as article-extraction | as article-extraction |

Every extractor is given the same decoded text: charset is not what is measured. Halves are by hash of the host (of the whole
address where it is unknown), so that no site's template is in both; what was fitted was fitted on the half `fitted`.
"""

from __future__ import annotations

import gzip
import html as entities
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import xxhash
from warcio.archiveiterator import ArchiveIterator

from datapipe.sources.charset import declared_in, decode

SETS = {
    "adbar/trafilatura": "trafilatura",
    "scrapinghub/article-extraction-benchmark": "article-extraction",
    "Murrough-Foley/web-content-extraction-benchmark": "wcxb",
    "rundimeco/waddle": "daniel",
    "immortal-autumn/Chinese-Web-Content-Extraction-Dataset": "chinese-web",
}
WORD = re.compile(r"\w+")
WORD_OR_HAN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W\u3040-\u30ff\u3400-\u9fff]+")
CHARSET = re.compile(r"charset\s*=\s*[\"']?([^\s;\"']+)", re.IGNORECASE)


@dataclass(frozen=True)
class TruePage:
    """A decoded page and what ought to come out of it."""

    url: str
    set: str
    kind: str
    html: str
    text: str
    wanted: tuple[str, ...]
    unwanted: tuple[str, ...]

    @property
    def half(self) -> str:
        host = urlsplit(self.url).hostname or ""
        key = self.url if host.endswith(".invalid") else host
        return "fitted" if xxhash.xxh3_64_intdigest(key.encode()) % 2 == 0 else "unseen"


def read(corpus: str) -> list[TruePage]:
    """All pages of `warc/ground_truth.jsonl.gz`, in the order of the archives."""
    folder = Path(corpus) / "warc"
    path = folder / "ground_truth.jsonl.gz"
    if not path.is_file():
        raise SystemExit(f"error: {path}: no such file; give a corpus with the ground truth and its archives, CORPUS=dir.")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        truths = {(row["warc"], row["url"]): row for row in map(json.loads, lines)}
    pages = []
    for name in sorted({archive for archive, _ in truths}):
        for url, html in _responses(folder / name):
            if row := truths.get((name, url)):
                wanted, unwanted = (tuple(map(_even, row.get(key) or ())) for key in ("with", "without"))
                text = entities.unescape(row["text"] or "")
                pages.append(TruePage(url, SETS[row["source"]], row.get("page_type") or "", html, text, wanted, unwanted))
    return pages


def _responses(path: Path) -> Iterator[tuple[str, str]]:
    with path.open("rb") as stream:
        for record in ArchiveIterator(stream):
            if record.rec_type == "response":
                declared = CHARSET.search((record.http_headers and record.http_headers.get_header("Content-Type")) or "")
                body = record.content_stream().read()
                labels = [declared.group(1)] if declared else []
                yield record.rec_headers.get_header("WARC-Target-URI"), decode(body, [*labels, *declared_in(body)]).text


Counts = tuple[float, float, float]  # right, wrong, missed


def counts(page: TruePage, text: str) -> Counts:
    """What is right, wrong and missed in a text: passages, words or shingles, as the page's set counts them."""
    if page.set == "trafilatura":
        flat = _even(text)
        right = sum(passage in flat for passage in page.wanted)
        return right, sum(passage in flat for passage in page.unwanted), len(page.wanted) - right
    if page.set in ("article-extraction", "chinese-web"):
        return _compare(_shingles(page.text), _shingles(text), shares=True)
    tokens = WORD if page.set == "wcxb" else WORD_OR_HAN
    return _compare(Counter(tokens.findall(page.text.lower())), Counter(tokens.findall(text.lower())))


def score(name: str, rows: Sequence[Counts]) -> float:
    """F1 of the pages of one set."""
    if name == "trafilatura":
        return _f1(*map(sum, zip(*rows, strict=True)))
    if name in ("article-extraction", "chinese-web"):
        precision = _mean([_share(right, wrong, right + wrong + missed) for right, wrong, missed in rows if right + wrong])
        recall = _mean([_share(right, missed, right + wrong + missed) for right, wrong, missed in rows if right + missed])
        return 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return _mean([_f1(*row) for row in rows])


def _shingles(text: str, length: int = 4) -> Counter[tuple[str, ...]]:
    words = WORD.findall(text)
    return Counter(tuple(words[at : at + length]) for at in range(max(1, len(words) - length + 1)) if words)


def _compare(true: Counter[Any], found: Counter[Any], shares: bool = False) -> Counts:
    right = (true & found).total()
    total = max(1, true.total() + found.total() - right) if shares else 1
    return right / total, (found.total() - right) / total, (true.total() - right) / total


def _share(right: float, lost: float, total: float) -> float:
    return right / (right + lost) if right + lost else float(total == 0)


def _f1(right: float, wrong: float, missed: float) -> float:
    if right + wrong + missed == 0:
        return 1.0
    return 2 * right / (2 * right + wrong + missed)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _even(text: str) -> str:
    return " ".join(text.split())
