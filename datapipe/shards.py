"""Documents on disk: N Parquet files a stage, fixed by config, a document's shard following from its id.

Rows are sorted by id and every file is written aside and renamed, so a shard is there whole or not at all; what a shard
holds (counts by domain, rule and language, examples, a digest) stands in the file's own footer and adds up.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import xxhash

from core import storage
from datapipe.document import SCHEMA

_FACTS = b"facts"
_GROUP_BYTES = 32 << 20
_GROUP_ROWS = 5_000
_EXAMPLES = 3
_SNIPPET = 400
_DIGEST = 1 << 128


def shard_name(index: int) -> str:
    return f"{index:05d}.parquet"


class Tally:
    """What happened to the documents of a shard or of a stage; tallies add up."""

    def __init__(self) -> None:
        self.by_domain: dict[str, dict[str, int]] = {}
        self.by_rule: dict[str, dict[str, int]] = {}
        self.by_language: dict[str, dict[str, int]] = {}
        self.examples: dict[str, list[dict[str, Any]]] = {}
        self.digest = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Counts the rows of a batch in the form of `SCHEMA`."""
        sizes = pc.binary_length(batch.column("text")).to_pylist()
        verdicts = batch.column("verdict").to_pylist()
        columns = [batch.column(name).to_pylist() for name in ("id", "domain", "language", "content_hash", "cluster")]
        for row, (identity, domain, language, content, cluster) in enumerate(zip(*columns, strict=True)):
            verdict, size = verdicts[row], sizes[row]
            for table, key in ((self.by_domain, domain), (self.by_language, language)):
                counts = table.setdefault(key, dict.fromkeys(("in", "kept", "removed", "bytes_in", "bytes_kept"), 0))
                counts["in"] += 1
                counts["bytes_in"] += size
                counts["removed" if verdict else "kept"] += 1
                counts["bytes_kept"] += 0 if verdict else size
            if verdict:
                rules = self.by_rule.setdefault(verdict["rule"], {})
                rules[domain] = rules.get(domain, 0) + 1
                self._example(batch, row, identity, verdict)
            basis = f"{identity} {domain} {language} {content} {cluster} {verdict}".encode()
            self.digest = (self.digest + xxhash.xxh3_128_intdigest(basis)) % _DIGEST

    def _example(self, batch: pa.RecordBatch, row: int, identity: str, verdict: dict[str, Any]) -> None:
        kept = self.examples.setdefault(verdict["rule"], [])
        if len(kept) == _EXAMPLES and identity >= kept[-1]["id"]:
            return
        entry = {name: batch.column(name)[row].as_py() for name in ("id", "domain", "language", "source", "key", "url")}
        entry.update(verdict, snippet=batch.column("text")[row].as_py()[:_SNIPPET])
        self.examples[verdict["rule"]] = sorted([*kept, entry], key=lambda example: str(example["id"]))[:_EXAMPLES]

    def merge(self, facts: dict[str, Any]) -> None:
        """Adds what `facts()` of another tally gave."""
        for mine, name in ((self.by_domain, "by_domain"), (self.by_rule, "by_rule"), (self.by_language, "by_language")):
            for key, counts in facts[name].items():
                into = mine.setdefault(key, {})
                for entry, count in counts.items():
                    into[entry] = into.get(entry, 0) + count
        for rule, examples in facts["examples"].items():
            both = [*self.examples.get(rule, []), *examples]
            self.examples[rule] = sorted(both, key=lambda example: str(example["id"]))[:_EXAMPLES]
        self.digest = (self.digest + int(facts["digest"], 16)) % _DIGEST

    def facts(self) -> dict[str, Any]:
        """The counts as plain values: in, kept, removed, bytes, by domain, by rule and domain, by language, examples,
        and a digest of all rows that does not depend on their order or on how they were cut."""
        totals = {name: sum(counts[name] for counts in self.by_domain.values()) for name in _TOTALS}
        return {
            **totals,
            "by_domain": {key: self.by_domain[key] for key in sorted(self.by_domain)},
            "by_rule": {key: dict(sorted(self.by_rule[key].items())) for key in sorted(self.by_rule)},
            "by_language": {key: self.by_language[key] for key in sorted(self.by_language)},
            "examples": {key: self.examples[key] for key in sorted(self.examples)},
            "digest": f"{self.digest:032x}",
        }


_TOTALS = ("in", "kept", "removed", "bytes_in", "bytes_kept")


def write_shard(uri: str, batches: Iterable[pa.RecordBatch]) -> dict[str, Any]:
    """Writes document rows (sorted by id) as one shard and returns its facts; nothing stands at `uri` if this fails."""
    tally = Tally()
    with storage.aside(uri) as path, pq.ParquetWriter(path, SCHEMA, compression="zstd") as writer:
        for group in _grouped(batches):
            tally.add(group)
            writer.write_batch(group)
        facts = tally.facts()
        writer.add_key_value_metadata({_FACTS: json.dumps(facts, ensure_ascii=False)})
    return facts


def check_conservation(name: str, facts: dict[str, Any], before: dict[str, Any] | None) -> None:
    """Raises RuntimeError unless, in every domain, kept + removed = in = what the stage before kept (where there is one)."""
    for domain, counts in facts["by_domain"].items():
        if counts["kept"] + counts["removed"] != counts["in"]:
            raise RuntimeError(
                f"{name}: {domain}: {counts['kept']} kept, {counts['removed']} removed, but {counts['in']} came in."
            )
    if before is None:
        return
    gave = {domain: counts["kept"] for domain, counts in before["by_domain"].items() if counts["kept"]}
    got = {domain: counts["in"] for domain, counts in facts["by_domain"].items() if counts["in"]}
    if gave != got:
        wrong = sorted(domain for domain in {*gave, *got} if gave.get(domain, 0) != got.get(domain, 0))
        pairs = ", ".join(f"{domain}: {gave.get(domain, 0)} and {got.get(domain, 0)}" for domain in wrong)
        raise RuntimeError(f"{name}: what the stage before kept is not what came in ({pairs}).")


def write_table(uri: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> int:
    """Writes rows of any schema as one Parquet file, whole or not at all; returns their number."""
    rows = 0
    with storage.aside(uri) as path, pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for batch in batches:
            writer.write_batch(batch)
            rows += batch.num_rows
    return rows


def shard_facts(uri: str) -> dict[str, Any]:
    """The facts in a shard's footer."""
    with storage.open_uri(uri) as handle:
        return dict(json.loads(pq.ParquetFile(handle).metadata.metadata[_FACTS]))


def read_kept(uri: str) -> Iterator[pa.RecordBatch]:
    """The kept documents of a shard, in batches of bounded size, with an empty verdict."""
    with storage.open_uri(uri) as handle:
        file = pq.ParquetFile(handle)
        for group in range(file.num_row_groups):
            table = file.read_row_group(group)
            kept = table.filter(pc.is_null(table.column("verdict"))).cast(SCHEMA).combine_chunks()
            yield from kept.to_batches()


def _grouped(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Row groups of bounded bytes and rows, whatever the batches were."""
    waiting: list[pa.RecordBatch] = []
    size = rows = 0
    for batch in batches:
        for start in range(0, batch.num_rows, _GROUP_ROWS):
            part = batch.slice(start, _GROUP_ROWS)
            if waiting and (rows + part.num_rows > _GROUP_ROWS or size + part.nbytes > _GROUP_BYTES):
                yield _glued(waiting)
                waiting, size, rows = [], 0, 0
            waiting.append(part)
            size, rows = size + part.nbytes, rows + part.num_rows
    if waiting:
        yield _glued(waiting)


def _glued(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    if len(batches) == 1:
        return batches[0]
    return pa.Table.from_batches(batches, SCHEMA).combine_chunks().to_batches()[0]
