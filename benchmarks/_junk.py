"""A crawl with planted junk, made from clean prose, the same on every machine: what `data-ablation` cleans again.

Half of the bytes are English (books), half Chinese (translated articles). Whole source documents are put aside first: the
independent text, and the reference texts for the quality classifier; what holds a paragraph of the former is left out of all
else. The rest is cut into pages, and what stands in `SHARES` is planted among them, all of it made here by rule. Every record
names its kind, which the line carries along and never looks at.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import zstandard

from benchmarks import _junk_words as words

LANGUAGES = ("en", "zh")
SOURCES = {
    "en": ("mlschmitt/classic-books-markdown",),
    "zh": ("LCTT/TranslateProject", "Snailclimb/JavaGuide", "d2l-ai/d2l-zh"),
}
SHARES = {  # of the bytes; the rest are pages that stand once
    "copies": 0.07,  # exact, in families of two to six, on other hosts
    "near copies": 0.07,  # one word in a hundred is another, paragraphs joined: see `_near`
    "giant family": 0.05,  # near copies of one short page
    "keywords": 0.05,  # what is sold and where, for search engines
    "garbled": 0.05,  # symbols among the letters; in Chinese also UTF-8 read as GBK
    "repeated": 0.04,  # one sentence again and again
    "stubs": 0.03,  # the beginning of a page, then "read more"
    "salad": 0.06,  # words of real pages in no order, set as sentences
    "adverts": 0.06,  # whole sentences that sell
    "contaminated": 0.02,  # pages with an item of the made benchmark in them
}
PER_HOST = 60  # pages of a host that has furniture: menu and notices, the same around all of its pages
MEDIAN, SPREAD, LONGEST = 2600, 0.5, 9000  # bytes of a page: log-normal
_MARKS = re.compile(r"<rt>.*?</rt>|</?ruby>|!\[[^\]]*\](\([^)]*\)|\[\w*\])|[*_`]+")
_LINK = re.compile(r"\[([^\]]*)\](\([^)]*\)|\[\w*\])")
_NO_PROSE = re.compile(r"https?:|^\s*([#>|\-\d]|via:|\[)|LCTT|译者|校对")

Draw = np.random.Generator


@dataclass(frozen=True)
class Prose:
    """Clean text of one language; `pages` are bare, without what a host sets around them."""

    language: str
    independent: list[str]
    reference: list[str]
    pages: list[str]

    @property
    def joint(self) -> str:
        """What stands between two words."""
        return " " if self.language == "en" else ""

    def units(self, text: str) -> list[str]:
        return text.split(" ") if self.language == "en" else list(text)


def read(corpus: Path, language: str, size: float) -> Prose:
    """Prose for `size` bytes of the made crawl: pages for it, and a twentieth (60 kB at least) for each other use."""
    path = corpus / "corpus" / f"{language}.jsonl.zst"
    if not path.exists():
        raise SystemExit(f"error: {path}: no such file; give CORPUS=dir, a folder with corpus/en.jsonl.zst and zh.jsonl.zst.")
    documents = []
    with path.open("rb") as raw, zstandard.ZstdDecompressor().stream_reader(raw) as stream:
        for row in map(json.loads, io.TextIOWrapper(stream, encoding="utf-8")):
            if row["source"] in SOURCES[language] and len(found := paragraphs(row["text"], language)) > 3:
                documents.append((hashlib.sha256(row["id"].encode()).hexdigest(), found))
    order = iter([found for _, found in sorted(documents)])
    draw = np.random.default_rng((17, LANGUAGES.index(language)))
    aside = max(60e3, size / 20)
    independent = list(_taken(order, aside, aside / 12, draw))
    known = {paragraph for page in independent for paragraph in page.split("\n\n")}
    order = iter([found for found in order if known.isdisjoint(found)])
    reference = list(_taken(order, max(aside, 60 * MEDIAN), aside / 12, draw))
    pages = list(_taken(order, size * (1 - sum(SHARES.values()) + 1.5 * SHARES["contaminated"]), size / 64, draw))
    return Prose(language, independent, reference, pages)


def paragraphs(text: str, language: str) -> list[str]:
    """The paragraphs of prose in a Markdown text: no headings, code, lists, quotes, addresses, credits."""
    found = []
    for block in re.split(r"\n\s*\n", text.replace("\r", "")):
        if _NO_PROSE.search(block) or block.startswith("    "):
            continue
        one = " ".join(_LINK.sub(r"\1", _MARKS.sub("", block)).split())
        letters = sum("\u4e00" <= c <= "\u9fff" for c in one) if language == "zh" else sum(c.isalpha() for c in one)
        if len(one.encode()) >= 120 and letters >= (0.55 if language == "zh" else 0.7) * len(one):
            found.append(one)
    return found


def _taken(order: Iterator[list[str]], size: float, most: float, draw: Draw) -> Iterator[str]:
    """Pages until there are so many bytes, `most` of them from one document: a few books would be no sample of books."""
    while size > 0 and (document := next(order, None)) is not None:
        page: list[str] = []
        wanted, room = 0, min(size, most)
        for paragraph in document:
            wanted = wanted or int(min(draw.lognormal(np.log(MEDIAN), SPREAD), LONGEST))
            page.append(paragraph)
            if (length := sum(len(one.encode()) for one in page)) >= wanted:
                yield "\n\n".join(page)
                page, wanted, size, room = [], 0, size - length, room - length
                if room <= 0:
                    break


def write(corpus: Path, folder: Path, megabytes: float) -> dict[str, dict[str, int]]:
    """Writes FOLDER/crawl (web, reference, benchmarks) and FOLDER/apart (independent, pages); bytes by language and kind."""
    counted: dict[str, dict[str, int]] = {}
    for language in LANGUAGES:
        prose = read(corpus, language, megabytes * 1e6 / 2)
        rows, counted[language] = crawl(prose, megabytes * 1e6 / 2)
        reference = [{"text": text, "url": f"http://reference{n}.example/"} for n, text in enumerate(prose.reference)]
        _lines(folder / "crawl" / "web" / f"{language}.jsonl", rows)
        _lines(folder / "crawl" / "reference" / f"{language}.jsonl", reference)
        _lines(folder / "crawl" / "benchmarks" / f"{language}.jsonl", [{"question": item} for item in words.items(language)])
        _lines(folder / "apart" / "independent" / f"{language}.jsonl", [{"text": text} for text in prose.independent])
        own = sum(row["kind"] == "pages" for row in rows)
        _lines(folder / "apart" / "pages" / f"{language}.jsonl", [{"text": text} for text in prose.pages[:own]])
    return counted


def crawl(prose: Prose, size: float) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """Records {text, url, kind} of `size` bytes in an order drawn at random, and the bytes of each kind, furniture by itself.

    Where the prose does not reach so far, all is made smaller: the shares stay.
    """
    there = sum(len(text.encode()) for text in prose.pages)
    size = min(size, there / (1 - sum(SHARES.values()) + SHARES["contaminated"]))
    made: list[tuple[str, str]] = []
    counted: dict[str, int] = {}
    left = size * (1 - sum(SHARES.values()))
    for text in prose.pages:
        if left <= 0:
            break
        made.append(("pages", text))
        left -= len(text.encode())
    own = [text for _, text in made]
    for kind, share in SHARES.items():
        draw = np.random.default_rng((19, LANGUAGES.index(prose.language), list(SHARES).index(kind)))
        left = size * share
        for text in _MAKERS[kind](prose, own, draw):
            made.append((kind, text))
            if (left := left - len(text.encode())) <= 0:
                break
    rows: list[dict[str, Any]] = []
    hosted = 0
    for place in np.random.default_rng((23, LANGUAGES.index(prose.language))).permutation(len(made)).tolist():
        kind, text = made[place]
        counted[kind] = counted.get(kind, 0) + len(text.encode())
        host = f"spam{place % 40}.{prose.language}.example"
        if kind in _HOSTED:
            number, hosted = hosted // PER_HOST, hosted + 1
            host = f"site{number}.{prose.language}.example"
            before, after = words.furniture(prose.language, number)
            whole = f"{before}\n\n{text}\n\n{after}"
            counted["furniture"] = counted.get("furniture", 0) + len(whole.encode()) - len(text.encode())
            text = whole
        rows.append({"text": text, "url": f"http://{host}/{place}", "kind": kind})
    return rows, counted


def _copies(prose: Prose, pages: list[str], draw: Draw) -> Iterator[str]:
    while True:
        page = pages[draw.integers(len(pages))]
        for _ in range(draw.integers(1, 6)):
            yield page


def _near_copies(prose: Prose, pages: list[str], draw: Draw) -> Iterator[str]:
    for page in _copies(prose, pages, draw):
        yield _near(prose, page, pages[draw.integers(len(pages))], draw)


def _giant(prose: Prose, pages: list[str], draw: Draw) -> Iterator[str]:
    page = min((page for page in pages if len(page.encode()) > 900), key=len)
    while True:
        yield _near(prose, page, pages[draw.integers(len(pages))], draw)


def _near(prose: Prose, page: str, other: str, draw: Draw) -> str:
    """The page with one word in a hundred (at least one) from another page, and its paragraphs joined by twos to fours."""
    units, pool = (
        prose.units(page.replace("\n\n", f"{prose.joint}\n{prose.joint}")),
        prose.units(other.replace("\n\n", prose.joint)),
    )
    changed = np.append(np.flatnonzero(draw.random(len(units)) < 0.01), draw.integers(len(units)))
    for place in changed.tolist():
        if units[place] != "\n":
            units[place] = pool[draw.integers(len(pool))]
    parts = [part.strip() for part in prose.joint.join(units).split("\n")]
    joined = []
    while parts:
        some = int(draw.integers(2, 5))
        joined.append(prose.joint.join(parts[:some]))
        parts = parts[some:]
    return "\n\n".join(joined)


def _keywords(prose: Prose, pages: list[str], draw: Draw) -> Iterator[str]:
    while True:
        lines = (
            words.filled(words.KEYWORD[prose.language], words.SLOTS[prose.language], draw) for _ in range(draw.integers(30, 90))
        )
        yield "\n".join(lines)


def _garbled(prose: Prose, pages: list[str], draw: Draw) -> Iterator[str]:
    while True:
        page = pages[draw.integers(len(pages))]
        if prose.language == "zh" and draw.random() < 0.5:
            yield page.encode().decode("gbk", "replace")
            continue
        letters = np.array(list(page))
        at = (draw.random(len(letters)) < draw.uniform(0.15, 0.5)) & (letters != "\n")
        letters[at] = draw.choice(list("#@%&~^|<>{}[]\\/=+§¤¶•�0123456789"), int(at.sum()))
        yield "".join(letters.tolist())


def _repeated(prose: Prose, pages: list[str], draw: Draw) -> Iterator[str]:
    while True:
        sentence = re.split(r"(?<=[.。])", pages[draw.integers(len(pages))])[0].strip()[:200]
        joint = prose.joint if draw.random() < 0.5 else "\n\n"
        yield joint.join([sentence] * max(3, MEDIAN // len(sentence.encode())))


def _stubs(prose: Prose, pages: list[str], draw: Draw) -> Iterator[str]:
    while True:
        page = pages[draw.integers(len(pages))].replace("\n\n", prose.joint)
        units = prose.units(page)[: draw.integers(15, 45) * (1 if prose.language == "en" else 2)]
        yield prose.joint.join(units) + (" ... Read more" if prose.language == "en" else "……阅读全文")


def _salad(prose: Prose, pages: list[str], draw: Draw) -> Iterator[str]:
    strip = re.compile(r"[^\w'’-]+")
    pool = [unit for page in pages for word in prose.units(page.replace("\n\n", prose.joint)) if (unit := strip.sub("", word))]
    stop = ". " if prose.language == "en" else "。"
    while True:
        found = []
        for _ in range(draw.integers(3, 9)):
            sentences = (
                prose.joint.join(pool[n] for n in draw.integers(len(pool), size=draw.integers(8, 26)))
                for _ in range(draw.integers(3, 7))
            )
            found.append("".join(sentence[0].upper() + sentence[1:] + stop for sentence in sentences).strip())
        yield "\n\n".join(found)


def _adverts(prose: Prose, pages: list[str], draw: Draw) -> Iterator[str]:
    templates, slots = words.ADVERTS[prose.language].split("|"), words.SLOTS[prose.language]
    while True:
        chosen = draw.permutation(templates).tolist() + draw.permutation(templates).tolist()
        said = [words.filled(template, slots, draw) for template in chosen[: draw.integers(10, 17)]]
        yield "\n\n".join(prose.joint.join(said[n : n + 4]) for n in range(0, len(said), 4))


def _contaminated(prose: Prose, pages: list[str], draw: Draw) -> Iterator[str]:
    asked = words.items(prose.language)
    for number, page in enumerate(prose.pages[len(pages) :]):
        first, *rest = page.split("\n\n")
        yield "\n\n".join([first, asked[number % len(asked)], *rest])


def _lines(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


_HOSTED = ("pages", "copies", "near copies", "giant family", "contaminated")
_MAKERS: dict[str, Callable[[Prose, list[str], Draw], Iterator[str]]] = {
    "copies": _copies, "near copies": _near_copies, "giant family": _giant, "keywords": _keywords, "garbled": _garbled,
    "repeated": _repeated, "stubs": _stubs, "salad": _salad, "adverts": _adverts, "contaminated": _contaminated,
}  # fmt: skip
