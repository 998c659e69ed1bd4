"""Documents into token shards: Megatron's .bin/.idx for each domain, training and validation apart, and their manifest.

A Spark task encodes one shard of documents into at most two token shards a domain, in the order of document ids, so the
files are the same for any number of tasks. The small table `written` has their counts and checksums and is committed after
them: a shard that is in it is whole.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
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
from datapipe.config import EncodeConfig
from datapipe.mix.holdout import Holdout, choose, cluster_keys
from datapipe.mix.subdomains import domain_of, entries
from datapipe.work import Batches, ShardTask, Work
from tokenizer.encode import Encoder, Engine, Vocabulary
from tokenizer.shards import ShardWriter, dtype_for

KEYS = pa.schema([("domain", pa.string()), ("cluster", pa.int64()), ("rank", pa.int64()), ("bytes", pa.int64())])
WRITTEN = pa.schema([("path", pa.string()), ("facts", pa.string())])
_CHECKED = 50  # documents of each shard on which the fast engine is held against the reference


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
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # a Spark task has one core; its neighbours have the others
    os.environ.setdefault("RAYON_NUM_THREADS", "1")
    encoder: Encoder | None = None
    writers: dict[str, ShardWriter] = {}
    sources: dict[str, Counter[str]] = {}
    with ExitStack() as stack:
        for batch in batches:
            texts = batch.column("text").to_pylist()
            encoder = encoder or _encoder(task.tokenizer, task.vocabulary.sha256, task.engine, tuple(texts[:_CHECKED]))
            ids, lengths = encoder.end_documents(*encoder.encode(texts))
            columns = {name: batch.column(name).to_pylist() for name in ("id", "language", "source", "cluster")}
            sizes = pc.binary_length(batch.column("text")).to_numpy(zero_copy_only=False).astype(np.int64)
            held = task.holdout.of(cluster_keys(columns["cluster"], columns["id"]))
            splits = [
                f"{entry}/{'validation' if out else 'train'}-{shard.index:05d}"
                for entry, out in zip(entries(batch), held.tolist(), strict=True)
            ]
            names, places = np.unique(splits, return_inverse=True)
            for number, name in enumerate(names.tolist()):
                if name not in writers:
                    path = storage.join(task.target, name)
                    writers[name] = stack.enter_context(ShardWriter(path, dtype_for(task.vocabulary.vocab_size)))
                    sources[name] = Counter()
                rows = np.flatnonzero(places == number)
                languages = [columns["language"][row] for row in rows.tolist()]
                tokens = ids[np.repeat(places == number, lengths)]
                writers[name].add_many(tokens, lengths[rows], languages, sizes[rows])
                sources[name].update(_folder(columns["source"][row]) for row in rows.tolist())
    facts = [_facts(name, writer, sources[name], encoder) for name, writer in sorted(writers.items())]
    paths = [entry["path"] for entry in facts]
    yield pa.RecordBatch.from_arrays(
        [pa.array(paths, pa.string()), pa.array([json.dumps(entry, ensure_ascii=False) for entry in facts], pa.string())],
        schema=WRITTEN,
    )


def _facts(name: str, writer: ShardWriter, sources: Counter[str], encoder: Encoder | None) -> dict[str, Any]:
    assert writer.written is not None and encoder is not None
    domain, _, file = name.partition("/")
    entry = {"path": f"tokens/{name}", "domain": domain, "split": file.partition("-")[0], **asdict(writer.written)}
    entry |= {"sources": dict(sorted(sources.items())), "engine": encoder.engine}
    return entry | ({"fallback": encoder.fallback} if encoder.fallback else {})


@lru_cache(maxsize=2)
def _tokenizer_json(uri: str, sha256: str) -> str:
    text = storage.read_text(uri)
    found = hashlib.sha256(text.encode()).hexdigest()
    if found != sha256:
        raise RuntimeError(f"{uri}: changed while the stage ran (SHA-256 {found}, it was {sha256}); run the stage again.")
    return text


def _encoder(uri: str, sha256: str, engine: Engine, sample: tuple[str, ...]) -> Encoder:
    return Encoder(_tokenizer_json(uri, sha256), engine, sample)


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
    return {"tokens": tokens, "engines": sorted({entry["engine"] for entry in entries}), "mix": table, "shards": entries}
