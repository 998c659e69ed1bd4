"""Documents into token shards: Megatron's .bin/.idx for each domain, training and validation apart, and their manifest.

A Spark task encodes one shard of documents into at most two token shards a domain, in the order of document ids, so the
files are the same for any number of tasks. The small table `written` has their counts and checksums and is committed after
them: a shard that is in it is whole.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core import storage
from core.config import ConfigError
from core.mix import domain_of
from datapipe.config import EncodeConfig
from datapipe.mix.holdout import Holdout, choose, cluster_keys
from datapipe.mix.subdomains import entries
from datapipe.work import Batches, ShardTask, Work
from tokenizer.encode import Encoder, Engine, Vocabulary, one_thread
from tokenizer.shards import Ids, ShardWriter, dtype_for

KEYS = pa.schema([("domain", pa.string()), ("cluster", pa.int64()), ("rank", pa.int64()), ("bytes", pa.int64())])
WRITTEN = pa.schema([("path", pa.string()), ("facts", pa.string())])
COUNTED = ("documents", "tokens", "utf8_bytes")
# How many documents of each shard, and characters of each, on which the fast engine is held against the reference: whole
# books would take the reference longer than the shard takes the fast engine.
_CHECKED, _PART = 50, 1_000
_AT_ONCE = 4 << 20  # bytes of text


def encode(work: Work) -> dict[str, Any]:
    """Writes `tokens/<domain>/<split>-<shard>`; facts: the tokenizer, every shard with its checksums, and the mix."""
    config: EncodeConfig = work.config
    before = work.inputs["resample"].require()
    uri = work.inputs["train_tokenizer"].path("tokenizer.json")
    work.inputs["train_tokenizer"].require()
    vocabulary = Vocabulary.read(uri)
    rule = Holdout(config.validation, work.settings.seed)
    keys = work.emit("clusters", partial(clusters_of, rule=rule), KEYS)
    holdout = choose(keys, rule, config.least, config.largest)
    task = EncodeTask(uri, vocabulary, config.engine, holdout, work.directory.path("tokens"))
    rows = work.emit("written", partial(encode_shard, task=task), WRITTEN).collect()
    entries = [json.loads(row.facts) for row in sorted(rows, key=lambda row: row.path)]
    about = {"path": "../train_tokenizer/tokenizer.json", **asdict(vocabulary)}
    return {**conservation(before, entries), "tokenizer": about, **shard_facts(before["mix"], entries)}


def clusters_of(batches: Batches, shard: ShardTask, rule: Holdout) -> Iterator[pa.RecordBatch]:
    """One row a document: its entry of the mix and cluster, the rank of the cluster, and the bytes of its text."""
    for batch in batches:
        clusters = cluster_keys(batch.column("cluster").to_pylist(), batch.column("id").to_pylist())
        sizes = pc.binary_length(batch.column("text")).cast(pa.int64())
        columns = [pa.array(entries(batch)), pa.array(clusters), pa.array(rule.ranks(clusters)), sizes]
        yield pa.RecordBatch.from_arrays(columns, schema=KEYS)


@dataclass(frozen=True)
class EncodeTask:
    """What a Spark task needs to encode a shard."""

    tokenizer: str
    vocabulary: Vocabulary
    engine: Engine
    holdout: Holdout
    target: str


def encode_shard(batches: Batches, shard: ShardTask, task: EncodeTask) -> Iterator[pa.RecordBatch]:
    """Writes the token shards of one shard of documents; gives back a row of facts for each."""
    one_thread()
    encoder: Encoder | None = None
    writers: dict[str, ShardWriter] = {}
    counts: dict[str, Counts] = {}
    with ExitStack() as stack:
        for batch in pieces_of(batches):
            rows, groups = grouped(batch, shard, task.holdout)
            # The documents of a token shard are put together first, and so are their ids.
            batch = batch.select(["text", "language", "source"]).take(pa.array(rows))
            texts = batch.column("text").to_pylist()
            encoder = encoder or _encoder(task, texts)
            ids, lengths = encoder.end_documents(*encoder.encode(texts))
            ends = np.concatenate([[0], np.cumsum(lengths)])
            sizes = pc.binary_length(batch.column("text")).to_numpy(zero_copy_only=False).astype(np.int64)
            languages, sources = (batch.column(name).to_pylist() for name in ("language", "source"))
            for name, (first, last) in groups.items():
                if name not in writers:
                    path = storage.join(task.target, name)
                    writers[name] = stack.enter_context(ShardWriter(path, dtype_for(task.vocabulary.vocab_size)))
                    counts[name] = Counts()
                own, group = slice(first, last), (lengths[first:last], sizes[first:last])
                writers[name].add_many(ids[ends[first] : ends[last]], group[0], languages[own], group[1])
                counts[name].add("by_language", languages[own], *group)
                counts[name].add("by_source", [_folder(source) for source in sources[own]], *group)
    facts = [_facts(name, writer, counts[name], encoder) for name, writer in sorted(writers.items())]
    paths = [entry["path"] for entry in facts]
    yield pa.RecordBatch.from_arrays(
        [pa.array(paths, pa.string()), pa.array([json.dumps(entry, ensure_ascii=False) for entry in facts], pa.string())],
        schema=WRITTEN,
    )


def pieces_of(batches: Batches) -> Iterator[pa.RecordBatch]:
    """The batches cut to a few MB of text: memory used again while it is at hand is a third of the time in English."""
    for batch in batches:
        ends = np.cumsum(pc.binary_length(batch.column("text")).to_numpy(zero_copy_only=False), dtype=np.int64)
        first = 0
        while first < batch.num_rows:
            begin = int(ends[first - 1]) if first else 0
            last = max(first + 1, int(np.searchsorted(ends, begin + _AT_ONCE)))
            yield batch.slice(first, last - first)
            first = last


def grouped(batch: pa.RecordBatch, shard: ShardTask, holdout: Holdout) -> tuple[Ids, dict[str, tuple[int, int]]]:
    """The rows of a batch [n] by the token shard that they go to, in their order, and where each shard's rows stand then."""
    clusters = cluster_keys(batch.column("cluster").to_pylist(), batch.column("id").to_pylist())
    splits = [
        f"{entry}/{'validation' if out else 'train'}-{shard.index:05d}"
        for entry, out in zip(entries(batch), holdout.of(clusters).tolist(), strict=True)
    ]
    names, places, sizes = np.unique(splits, return_inverse=True, return_counts=True)
    ends = np.cumsum(sizes)
    spans = zip((ends - sizes).tolist(), ends.tolist(), strict=True)
    return np.argsort(places, kind="stable"), dict(zip(names.tolist(), spans, strict=True))


class Counts:
    """Documents, tokens and UTF-8 bytes of a shard by language and by source."""

    def __init__(self) -> None:
        self.tables: dict[str, dict[str, dict[str, int]]] = {"by_language": {}, "by_source": {}}

    def add(self, table: str, names: list[str], tokens: Ids, utf8_bytes: Ids) -> None:
        found, places = np.unique(names, return_inverse=True)
        for number, name in enumerate(found.tolist()):
            own = places == number
            entry = self.tables[table].setdefault(name, dict.fromkeys(COUNTED, 0))
            for key, more in zip(COUNTED, (own.sum(), tokens[own].sum(), utf8_bytes[own].sum()), strict=True):
                entry[key] += int(more)


def _facts(name: str, writer: ShardWriter, counts: Counts, encoder: Encoder | None) -> dict[str, Any]:
    assert writer.written is not None and encoder is not None
    domain, _, file = name.partition("/")
    entry = {"path": f"tokens/{name}", "domain": domain, "split": file.partition("-")[0], **asdict(writer.written)}
    entry |= {**counts.tables, "engine": encoder.engine}
    return entry | ({"fallback": encoder.fallback} if encoder.fallback else {})


@lru_cache(maxsize=2)
def _tokenizer_json(uri: str, sha256: str) -> str:
    text = storage.read_text(uri)
    found = hashlib.sha256(text.encode()).hexdigest()
    if found != sha256:
        raise RuntimeError(f"{uri}: changed while the stage ran (SHA-256 {found}, it was {sha256}); run the stage again.")
    return text


def _encoder(task: EncodeTask, texts: list[str]) -> Encoder:
    """The encoder of a task, its ids compared with the reference's on the beginnings and middles of documents all over."""
    some = texts[:: -(-len(texts) // _CHECKED)]
    sample = [part for text in some for part in (text[:_PART], text[len(text) // 2 :][:_PART])]
    return Encoder(_tokenizer_json(task.tokenizer, task.vocabulary.sha256), task.engine, sample, task.vocabulary.eos)


@lru_cache(maxsize=1 << 16)
def _folder(source: str) -> str:
    """Where a document comes from, coarsely: the first two folders of its source, so that the table stays small."""
    folders = source.split("/")[:-1]
    return "/".join(folders[:2]) or source


def conservation(before: dict[str, Any], entries: list[dict[str, Any]]) -> dict[str, Any]:
    """Documents in, kept and removed (none are), by domain. Raises RuntimeError where not all that came in was encoded."""
    by_domain: dict[str, dict[str, int]] = {}
    for entry in entries:
        empty = dict.fromkeys(("in", "kept", "removed", "bytes_in", "bytes_kept"), 0)
        counts = by_domain.setdefault(domain_of(entry["domain"]), empty)
        for name in ("in", "kept"):
            counts[name] += entry["documents"]
        for name in ("bytes_in", "bytes_kept"):
            counts[name] += entry["utf8_bytes"]
    totals = {name: sum(counts[name] for counts in by_domain.values()) for name in ("in", "kept", "removed")}
    if totals["in"] != before["kept"]:
        raise RuntimeError(f"encode: {before['kept']} documents were selected, {totals['in']} are in token shards.")
    digest = hashlib.sha256(json.dumps([[entry["path"], entry["sha256"]] for entry in entries]).encode()).hexdigest()[:32]
    return {**totals, "by_domain": dict(sorted(by_domain.items())), "digest": digest}


def shard_facts(mix: dict[str, dict[str, Any]], entries: list[dict[str, Any]]) -> dict[str, Any]:
    """The shards and the mix by exact tokens. Raises ConfigError where a domain of the mix has no training text."""
    table: dict[str, dict[str, Any]] = {}
    for domain, row in mix.items():
        counts = {"train_tokens": 0, "validation_tokens": 0, "train_utf8_bytes": 0, "validation_utf8_bytes": 0}
        for entry in entries:
            if entry["domain"] == domain:
                counts[f"{entry['split']}_tokens"] += entry["tokens"]
                counts[f"{entry['split']}_utf8_bytes"] += entry["utf8_bytes"]
        if not counts["train_tokens"]:
            raise ConfigError(f"encode: the domain {domain} of the mix has no document to train on; select more of it.")
        table[domain] = {"proportion": row["proportion"], "epochs": row["epochs"], **counts}
    tokens = sum(entry["tokens"] for entry in entries)
    engines = sorted({entry["engine"] for entry in entries})
    return {"tokens": tokens, "engines": engines, "mix": table, "counts": summed(entries), "shards": entries}


def summed(entries: list[dict[str, Any]]) -> dict[str, dict[str, dict[str, int]]]:
    """Documents, tokens and UTF-8 bytes of all shards by domain, by language and by source."""
    tables: dict[str, dict[str, dict[str, int]]] = {"by_domain": {}, "by_language": {}, "by_source": {}}
    for entry in entries:
        own = {"by_domain": {domain_of(entry["domain"]): entry}, **{name: entry[name] for name in ("by_language", "by_source")}}
        for table, rows in own.items():
            for name, row in rows.items():
                into = tables[table].setdefault(name, dict.fromkeys(COUNTED, 0))
                for key in COUNTED:
                    into[key] += row[key]
    return {table: dict(sorted(rows.items())) for table, rows in tables.items()}
