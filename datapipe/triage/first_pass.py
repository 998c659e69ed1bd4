"""The first pass over a crawl: looks at every body, finds the copies, and says for each file which records need not be
extracted.

Looks are committed by file under names that follow from what they depend on, so a second run looks only at what is new. What
the pass settles about a file is part of the name of what is later extracted from it: a new file that holds copies of old
pages, or the other way round, has only those files read again that it concerns.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from core import storage
from datapipe import sources
from datapipe.config import ExtractConfig
from datapipe.document import Verdict, document_id, shard_of
from datapipe.shards import write_table
from datapipe.sources.base import InputFile
from datapipe.sources.inputs import Claimed, balanced
from datapipe.sources.warc import Warc
from datapipe.tables import read_file, read_tables
from datapipe.triage import lists
from datapipe.triage.duplicates import duplicates
from datapipe.triage.look import LOOKED, NO_DIGEST, WRONG, look_name, looks
from datapipe.work import Work, read_beside

_LABEL = "extract: first look"

DUPLICATES = pa.schema(
    [
        pa.field("source", pa.string()),
        pa.field("id", pa.string()),
        pa.field("key", pa.string()),
        pa.field("rule", pa.string()),
        pa.field("survivor", pa.string()),
        pa.field("members", pa.int32()),
    ]
)


@dataclass(frozen=True)
class Settled:
    """Where the first pass keeps what it found out: the folder of the looks, the table of the copies and its shards."""

    looked: str
    copies: str
    shards: int

    def of(self, file: InputFile) -> dict[str, Verdict]:
        """The verdicts on a file's records, by key; read when the file is."""
        if not file.triaged:
            return {}
        found: dict[str, Verdict] = {}
        for batch in read_file(storage.join(self.looked, file.triaged.partition(" ")[0]), LOOKED):
            gone = batch.filter(pc.is_valid(batch.column("verdict")))
            for key, row in zip(gone.column("key").to_pylist(), gone.column("verdict").to_pylist(), strict=True):
                found[key] = Verdict(**row)
        copies = read_beside(self.copies, DUPLICATES, shard_of(document_id(file.path, ""), self.shards))
        for row in copies.filter(pc.equal(copies.column("source"), file.path)).to_pylist():
            found[row["key"]] = Verdict(row["rule"], row["members"], 1.0, f"{row['survivor']} stays")
        return found


def first_pass(work: Work, claimed: Sequence[Claimed]) -> tuple[list[Claimed], Settled, dict[str, Any]]:
    """The same files, the crawl's with what was settled about each in their name; what was settled; the pass's facts."""
    config: ExtractConfig = work.config
    folder = work.directory.path("looked")
    crawl = [entry for entry in claimed if isinstance(sources.make(entry[1].source, entry[1].options), Warc)]
    if not config.triage.use or not crawl:
        return list(claimed), Settled(folder, "", work.shards), {}
    lists_key = lists.key(config.triage.lists)
    lists_uri = work.directory.path("lists", f"{lists_key}.npz") if lists_key else ""
    if lists_uri and not storage.exists(lists_uri):
        lists.compile_lists(config.triage.lists, lists_uri)
    names = {(file.path, file.part): look_name(file, rule, config, lists_key) for file, rule in crawl}
    there = {info.uri.rsplit("/", 1)[-1] for info in storage.listing(folder)}
    missing = [entry for entry in crawl if names[entry[0].path, entry[0].part] not in there]
    groups = balanced(missing, work.session.sparkContext.defaultParallelism)
    work.each(groups, partial(_look_group, folder=folder, config=config, lists_key=lists_key, lists_uri=lists_uri), _LABEL)
    for name in there - set(names.values()):
        storage.remove(storage.join(folder, name))
    wanted = sorted(names.values())
    looked = read_tables(work.session, [storage.join(folder, name) for name in wanted], LOOKED)
    table = f"copies-{_mark(*wanted, config.triage.same_url, str(config.triage.same_payload))}"
    copies = work.commit(table, duplicates(looked, config.triage))
    digests = _digests(copies)
    marked = []
    for file, rule in claimed:
        looked_at = names.get((file.path, file.part))
        marked.append((replace(file, triaged=f"{looked_at} {digests.get(file.path, '')}") if looked_at else file, rule))
    return marked, Settled(folder, work.directory.path(table), work.shards), _facts(looked)


def _look_group(group: list[Claimed], folder: str, config: ExtractConfig, lists_key: str, lists_uri: str) -> int:
    for file, rule in group:
        source = sources.make(rule.source, rule.options)
        assert isinstance(source, Warc)
        uri = storage.join(folder, look_name(file, rule, config, lists_key))
        write_table(uri, LOOKED, looks(file, source, rule, config, lists_uri))
    return len(group)


def _mark(*words: str) -> str:
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:32]


def _digests(copies: DataFrame) -> dict[str, str]:
    """For each file that has copies in it, a digest of them that knows no order; a row a file."""
    row = F.xxhash64("key", "rule", "survivor", "members")
    rows = copies.groupBy("source").agg(F.count("*").alias("count"), F.bit_xor(row).alias("mark")).collect()
    return {entry["source"]: f"{entry['count']} {entry['mark']}" for entry in rows}


def _facts(looked: DataFrame) -> dict[str, Any]:
    declared, wrong = F.col("digest") != NO_DIGEST, F.col("digest") == WRONG
    [row] = looked.agg(
        F.count("*").alias("bodies"), F.count_if(declared).alias("digests"), F.count_if(wrong).alias("digests_wrong")
    ).collect()
    return {"triage": row.asDict()}
