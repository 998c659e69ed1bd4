"""A first look at a crawl file: one small row for each body that would become a document, with what tells it from others.

The same reader finds the bodies that reads them for extraction later, so a row's key is the record's. Bytes are compared by a
hash of the decoded body. The digest in a record's header is only checked: archives copy it, compute it over other bytes, or
get it wrong, and a page must not go for a header's mistake.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Collection, Iterator

import pyarrow as pa
import xxhash

from core import __version__
from core.config import plain as plain_settings
from datapipe.config import ExtractConfig, InputConfig
from datapipe.document import VERDICT, Verdict, document_id, shard_of
from datapipe.sources.base import InputFile
from datapipe.sources.files import DamagedFile
from datapipe.sources.warc import Body, Warc
from datapipe.triage.addresses import address_hash
from datapipe.triage.cheap import cheap_text, plain
from datapipe.triage.lists import Compiled, listed, load_lists
from datapipe.triage.measures import Look, judge

LOOKED = pa.schema(
    [
        pa.field("shard", pa.int32()),  # of the file, so that all its rows meet in one
        pa.field("source", pa.string()),
        pa.field("key", pa.string()),
        pa.field("id", pa.string()),
        pa.field("age", pa.int64()),  # the least is the newest
        pa.field("kind", pa.int32()),
        pa.field("address", pa.binary()),
        pa.field("payload", pa.binary()),
        pa.field("digest", pa.int32()),
        pa.field("verdict", VERDICT),
    ]
)
_KINDS = ("response", "resource", "conversion")  # of equal age, the page itself is kept rather than text made of it
_DIGITS = re.compile(r"\D+")
_BATCH = 5_000
_LONGEST = 2_000_000  # characters: a longer page is left to extraction and its bounds

NO_DIGEST, RIGHT, WRONG = 0, 1, 2
"""What the digest in a record's header is worth."""


def look_name(file: InputFile, rule: InputConfig, config: ExtractConfig, lists_key: str) -> str:
    """The name under which the look at a file is kept: it changes with the file, its rule, the settings, the version."""
    triage = config.triage
    basis = {
        "file": [file.path, file.size, file.version, file.part, file.parts],
        "rule": [rule.source, rule.language, plain_settings(rule.options)],
        "limits": [plain_settings(triage.bounds), lists_key, config.html.max_bytes, config.languages, config.shards],
        "version": __version__,
    }
    return hashlib.sha256(json.dumps(basis, sort_keys=True).encode()).hexdigest()[:32] + ".parquet"


def looks(file: InputFile, source: Warc, rule: InputConfig, config: ExtractConfig, lists_uri: str) -> Iterator[pa.RecordBatch]:
    """A row in the form of `LOOKED` for each body of a file, up to where the file is damaged beyond reading."""
    languages = [] if rule.language else config.languages
    lists = load_lists(lists_uri) if lists_uri else []
    shard = shard_of(document_id(file.path, ""), config.shards)
    rows = []
    try:
        for found in source.bodies(file, config.html):
            if not isinstance(found, Body):
                continue
            record = found.record
            verdict = verdict_of(found, languages, lists, config)
            rows.append(
                {
                    "shard": shard,
                    "source": file.path,
                    "key": record.key,
                    "id": document_id(file.path, record.key),
                    "age": _age(record.date),
                    "kind": _KINDS.index(record.metadata["record"]),
                    "address": address_hash(record.url) if record.url else None,
                    "payload": xxhash.xxh3_128_digest(found.data),
                    "digest": _check(found),
                    "verdict": None if verdict is None else verdict.row(),
                }
            )
            if len(rows) == _BATCH:
                yield pa.RecordBatch.from_pylist(rows, LOOKED)
                rows = []
    except DamagedFile:
        pass  # extraction reads up to the same place and puts the damage on the ledger
    if rows:
        yield pa.RecordBatch.from_pylist(rows, LOOKED)


def verdict_of(found: Body, languages: Collection[str], lists: list[Compiled], config: ExtractConfig) -> Verdict | None:
    """Why a body cannot survive, if that shows: its address first, then its text."""
    bounds, url = config.triage.bounds, found.record.url or ""
    if (entry := listed(url, lists)) is not None:
        return Verdict("triage.url_list", 1.0, 0.0, entry)
    nothing = plain("")
    if (verdict := judge(Look(url, nothing, languages), bounds, of_address=True)) is not None:
        return verdict
    text = found.decoded().text
    if len(text) > _LONGEST:
        return None
    return judge(Look(url, plain(text) if found.plain else cheap_text(text), languages), bounds, of_address=False)


def _age(date: str | None) -> int:
    """A number that is less for a later date; 0 where there is none."""
    digits = _DIGITS.sub("", date or "")[:14]
    return -int(digits.ljust(14, "0")) if digits else 0


def _check(found: Body) -> int:
    """Whether the digest in the header is that of the bytes as stored (base32 or hex, by any hash that Python has)."""
    name, colon, value = (found.digest or "").strip().partition(":")
    name = name.strip().lower().replace("-", "")
    if not colon or name not in hashlib.algorithms_guaranteed or name.startswith("shake"):
        return NO_DIGEST
    computed = hashlib.new(name, found.stored, usedforsecurity=False).digest()
    given = value.strip().upper()
    right = given in (
        computed.hex().upper(),
        base64.b32encode(computed).decode(),
        base64.b32encode(computed).decode().rstrip("="),
    )
    return RIGHT if right else WRONG
