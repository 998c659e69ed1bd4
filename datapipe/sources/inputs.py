"""Which files a run reads, by which rule, and how the reading is cut into tasks of about equal work."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace

from core import __version__, storage
from core.config import ConfigError, plain
from datapipe import sources
from datapipe.config import ExtractConfig, InputConfig
from datapipe.sources.base import InputFile
from datapipe.sources.page.scores import fitted

Claimed = tuple[InputFile, InputConfig]


def find(config: ExtractConfig, corpus: str, must_exist: bool = False) -> list[Claimed]:
    """The files of the corpus with the rule that reads each, sorted by path; the first rule that names a file wins.

    Raises ConfigError where `must_exist` is set and the corpus, or any file for the rules in it, is missing.
    """
    if must_exist and storage.is_local(corpus) and not storage.exists(corpus):
        raise ConfigError(f"corpus = {corpus}: no such directory.")
    claimed: dict[str, Claimed] = {}
    for rule in config.rules:
        for file in sources.make(rule.source, rule.options).files(corpus, rule.glob):
            claimed.setdefault(file.path, (file, rule))
    if must_exist and not claimed:
        globs = ", ".join(rule.glob for rule in config.rules if rule.glob) or "none"
        raise ConfigError(f"corpus = {corpus}: holds no file that extract.inputs names (globs: {globs}).")
    return [claimed[path] for path in sorted(claimed)]


def in_parts(claimed: Sequence[Claimed], most: int) -> list[Claimed]:
    """The same files, those of more than `most` stored bytes in several parts: each is read by a task of its own, and is
    committed by itself. Ids do not depend on it: a record's key is its place in the whole file."""
    cut: list[Claimed] = []
    for file, rule in claimed:
        parts = sources.make(rule.source, rule.options).parts(file, most) if file.size > most else 1
        cut += [(replace(file, part=part, parts=parts), rule) for part in range(parts)]
    return cut


def unclaimed(claimed: Sequence[Claimed], corpus: str) -> list[str]:
    """The files of a local corpus that no rule reads."""
    if not storage.is_local(corpus):
        return []
    known = {file.uri for file, _ in claimed}
    return [info.uri for info in storage.listing(corpus) if info.uri not in known]


def part_name(file: InputFile, rule: InputConfig, config: ExtractConfig) -> str:
    """The name under which what was read from a file is kept: it changes with the file, its rule, the limits, the version."""
    basis = {
        "file": [file.path, file.size, file.version, file.part, file.parts],
        "rule": {**plain(rule), "glob": ""},
        "limits": [plain(config.html), fitted(), config.languages, config.max_document_bytes],
        "version": __version__,
        **({"triaged": file.triaged} if file.triaged else {}),
    }
    return hashlib.sha256(json.dumps(basis, sort_keys=True).encode()).hexdigest()[:32] + ".parquet"


def balanced(claimed: Sequence[Claimed], workers: int) -> list[list[Claimed]]:
    """Groups of files or parts to be read by one task each, the heaviest first: a big one alone, small ones together.

    The aim is eight tasks a worker, so that whoever ends early takes more. Web pages cost about ten times what other
    formats do by the stored byte, which is what the weights say.
    """
    dear = ("warc", "commoncrawl")
    weights = [(file.size // file.parts + 4096) * (10 if rule.source in dear else 1) for file, rule in claimed]
    aim = max(1, sum(weights) // max(1, 8 * workers))
    groups: list[list[Claimed]] = []
    room = 0
    heaviest_first = sorted(zip(weights, claimed, strict=True), key=lambda pair: (-pair[0], pair[1][0].path, pair[1][0].part))
    for weight, entry in heaviest_first:
        if weight > room:
            groups.append([])
            room = aim
        groups[-1].append(entry)
        room -= weight
    return groups
