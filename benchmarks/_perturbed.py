"""Any amount of text for the benchmarks of deduplication, made by perturbing real documents, the same on every machine.

Real documents are cut into pieces (median 2,500 characters, half of the bytes English, half Chinese). A family begins with a
piece of which every second word (Chinese: character) is drawn anew, so that no two families share more than chance. Half of
the families stay alone; the others have one to five near copies: up to 4 % of the words drawn anew, and in one of four a run
of sentences left out, so that their true Jaccard runs from about 0.65 to 1. One giant family in each language holds a
hundredth of the bytes.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import zstandard
from numpy.typing import NDArray

from core.run import StageDirectory
from datapipe.document import Document, document_id, shard_of, to_batch
from datapipe.shards import Tally, shard_facts, shard_name, write_shard

LANGUAGES = ("en", "zh")
MEDIAN, SPREAD, SHORTEST, LONGEST = 2500, 0.8, 300, 20_000  # characters of a piece: log-normal
GIANT = 0.01  # share of the bytes in the one giant family
READ = 24e6  # bytes read of each language: the pieces that families begin with
ROWS = 1000  # documents written at once


@dataclass(frozen=True)
class Source:
    """The pieces of one language: places of words in `vocabulary` (English) or code points (Chinese, no vocabulary)."""

    pieces: list[NDArray[np.uint32]]
    pool: NDArray[np.uint32]
    bytes_of: NDArray[np.int64]
    vocabulary: NDArray[Any] | None

    def text(self, units: NDArray[np.uint32]) -> str:
        if self.vocabulary is None:
            return units.astype("<u4").tobytes().decode("utf-32-le")
        return " ".join(self.vocabulary[units].tolist())


def read_source(corpus: Path, language: str) -> Source:
    """Pieces of CORPUS/corpus/LANGUAGE.jsonl.zst."""
    path = corpus / "corpus" / f"{language}.jsonl.zst"
    if not path.exists():
        raise SystemExit(f"error: {path}: no such file; give CORPUS=dir, a folder with corpus/en.jsonl.zst and zh.jsonl.zst.")
    draw = np.random.default_rng(3)
    texts: list[str] = []
    size = 0
    with path.open("rb") as raw, zstandard.ZstdDecompressor().stream_reader(raw) as stream:
        for line in io.TextIOWrapper(stream, encoding="utf-8"):
            text, start = json.loads(line)["text"], 0
            while len(text) - start >= SHORTEST:
                length = int(np.clip(draw.lognormal(np.log(MEDIAN), SPREAD), SHORTEST, LONGEST))
                texts.append(text[start : start + length])
                start += length
            size += len(text.encode())
            if size > READ:
                break
    texts.sort(key=lambda text: len(text) > SHORTEST)  # the giant family begins with a shortest one: see `plan`
    bytes_of = np.array([len(text.encode()) for text in texts])
    if language == "zh":
        coded = [np.frombuffer(text.encode("utf-32-le", "replace"), np.uint32) for text in texts]
        return Source(coded, np.concatenate(coded), bytes_of, None)
    words: dict[str, int] = {}
    coded = [np.array([words.setdefault(word, len(words)) for word in text.split(" ")], np.uint32) for text in texts]
    return Source(coded, np.concatenate(coded), bytes_of, np.array(list(words), object))


def plan(source: Source, size: float, giant: int | None = None) -> NDArray[np.int64]:
    """How many near copies each family of a language has [families], so that they come to `size` bytes in all; or one family
    of `giant` documents and no other."""
    if giant is not None:
        return np.array([giant - 1] if giant else [], np.int64)
    draw = np.random.default_rng(5)
    families = int(2 * size / source.bytes_of.mean()) + 1
    copies = np.where(draw.random(families) < 0.5, 0, draw.integers(1, 6, families))
    copies[0] = int(GIANT * size / source.bytes_of[0])  # of short documents, as pages made from a template are
    sizes = (1 + copies) * source.bytes_of[np.arange(families) % len(source.pieces)]
    return copies[: int(np.searchsorted(np.cumsum(sizes), size)) + 1]


def member(source: Source, family: int, number: int) -> str:
    """The text of one document: number 0 begins the family, the others are its near copies."""
    own = source.pieces[family % len(source.pieces)]
    own = _changed(own, 0.5, source.pool, np.random.Generator(np.random.Philox(key=[family, 0])))
    if number:
        draw = np.random.Generator(np.random.Philox(key=[family, number]))
        own = _changed(own, 0.04 * draw.random(), source.pool, draw)
        if draw.random() < 0.25:
            begin, length = int(draw.random() * len(own)), int(0.1 * draw.random() * len(own))
            own = np.concatenate([own[:begin], own[begin + length :]])
    return source.text(own)


def _changed(own: NDArray[np.uint32], share: float, pool: NDArray[np.uint32], draw: np.random.Generator) -> NDArray[np.uint32]:
    own = own.copy()
    at = np.flatnonzero(draw.random(len(own)) < share)
    own[at] = pool[draw.integers(0, len(pool), len(at))]
    return own


def write(corpus: Path, directory: StageDirectory, megabytes: float, shards: int, processes: int = 2, giant: int = 0) -> None:
    """Writes that many MB, or one family of `giant` short documents, as the shards of a finished stage."""
    tasks = [(corpus, directory.uri, megabytes, shards, giant, part, processes) for part in range(processes)]
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        for _ in pool.map(_write_part, tasks):
            pass
    tally = Tally()
    for index in range(shards):
        tally.merge(shard_facts(directory.path("shards", shard_name(index))))
    directory.commit("given", tally.facts(), 0.0)


def _write_part(task: tuple[Path, str, float, int, int, int, int]) -> None:
    """Writes every shard of which the index leaves `part` when divided by the number of processes."""
    corpus, uri, megabytes, shards, giant, part, processes = task
    sources = {language: read_source(corpus, language) for language in LANGUAGES}
    members: dict[int, list[tuple[str, str, int, int]]] = {index: [] for index in range(part, shards, processes)}
    for language, source in sources.items():
        members_of_giant = (giant if language == LANGUAGES[0] else 0) if giant else None
        for family, copies in enumerate(plan(source, megabytes * 1e6 / len(LANGUAGES), members_of_giant).tolist()):
            for number in range(1 + copies):
                identity = document_id(f"{language}.made", f"{family}.{number}")
                if (index := shard_of(identity, shards)) in members:
                    members[index].append((identity, language, family, number))
    for index, own in members.items():
        own.sort()
        parts = (own[begin : begin + ROWS] for begin in range(0, len(own), ROWS))
        write_shard(f"{uri}/shards/{shard_name(index)}", (to_batch(_documents(sources, rows)) for rows in parts))


def _documents(sources: dict[str, Source], rows: list[tuple[str, str, int, int]]) -> Iterator[Document]:
    for _, language, family, number in rows:
        text = member(sources[language], family, number)
        key = f"{family}.{number}"
        yield Document(source=f"{language}.made", key=key, domain="WebText", language=language, text=text, quality=0.5)
