"""Raw files to documents: each input file is read once, documents go to their shards, what cannot be kept is on the ledger.

The work is committed by input file: what was read from one is kept under a name that follows from the file, its rule and the
limits, so a second run reads only what is new or changed, and a killed one only what was not finished. Before that, crawl
files get a first look (datapipe/triage), so that copies and pages that cannot survive are not extracted. Then the text is
shuffled to its shards, the one time that text moves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pyarrow as pa

from core import storage
from datapipe.config import ExtractConfig
from datapipe.document import SCHEMA, Document, to_batch
from datapipe.shards import write_table
from datapipe.sources.inputs import Claimed, balanced, find, in_parts, part_name, unclaimed
from datapipe.sources.reading import documents
from datapipe.triage.first_pass import Settled, first_pass
from datapipe.work import Work

_BATCH_DOCUMENTS = 500
_BATCH_CHARACTERS = 8_000_000


def extract(work: Work) -> dict[str, Any]:
    """Reads what is new, distributes all documents; returns the stage's facts with the files by source."""
    config: ExtractConfig = work.config
    corpus = work.settings.corpus or storage.join(work.settings.run, "crawl")
    claimed = find(config, corpus, must_exist=True)
    parts = work.directory.path("parts")
    cut, settled, looked = first_pass(work, in_parts(claimed, config.split_bytes))
    wanted = [part_name(file, rule, config) for file, rule in cut]
    there = {info.uri.rsplit("/", 1)[-1] for info in storage.listing(parts)}
    missing = [entry for entry, name in zip(cut, wanted, strict=True) if name not in there]
    groups = balanced(missing, work.session.sparkContext.defaultParallelism)
    work.each(groups, partial(_read_group, parts=parts, config=config, settled=settled), "extract: files")
    for name in there - set(wanted):
        storage.remove(storage.join(parts, name))
    facts = work.distribute([storage.join(parts, name) for name in sorted(wanted)])
    return {**facts, **_inputs(claimed, missing, corpus), **looked}


def _inputs(claimed: list[Claimed], read: list[Claimed], corpus: str) -> dict[str, Any]:
    left = unclaimed(claimed, corpus)
    return {
        "files": len(claimed),
        "files_read_now": len({file.path for file, _ in read}),
        "bytes_stored": sum(file.size for file, _ in claimed),
        "files_by_source": dict(sorted(Counter(rule.source for _, rule in claimed).items())),
        "files_no_rule_names": len(left),
        "inputs": [file.path for file, _ in claimed[:10_000]],
    }


def _read_group(group: list[Claimed], parts: str, config: ExtractConfig, settled: Settled) -> int:
    """Reads some files or parts of files, each into a file of its own."""
    for file, rule in group:
        made = documents(replace(file, settled=settled.of(file)), rule, config)
        write_table(storage.join(parts, part_name(file, rule, config)), SCHEMA, _batches(made))
    return len(group)


def _batches(made: Iterable[Document]) -> Iterator[pa.RecordBatch]:
    """Documents in batches of bounded size; a long one stands alone."""
    waiting: list[Document] = []
    size = 0
    for document in made:
        if waiting and (len(waiting) == _BATCH_DOCUMENTS or size + len(document.text) > _BATCH_CHARACTERS):
            yield to_batch(waiting)
            waiting, size = [], 0
        waiting.append(document)
        size += len(document.text)
    if waiting:
        yield to_batch(waiting)
