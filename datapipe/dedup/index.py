"""The signatures of a run as an index: what a later run needs to compare its documents with these, without their text.

It is the sub-step `signatures` of dedup_documents: for each document its rank, its signature and its shingle hashes, a file
a shard, and a header that says how they were made. Signatures made in another way cannot be compared, and would give wrong
answers instead of an error; so a header that differs is refused. `clusters` beside it says which documents were removed:
their survivors stand for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from core import storage
from core.config import ConfigError
from datapipe.config import DedupDocumentsConfig
from datapipe.shards import shard_name

SIGNATURES = pa.schema(
    [
        ("id", pa.string()),
        ("domain", pa.string()),
        ("language", pa.string()),
        ("rank", pa.binary()),  # see `rank`: the order in which copies are preferred
        ("signature", pa.binary()),  # 32-bit minima, little-endian
        ("shingles", pa.binary()),  # sorted distinct 32-bit shingle hashes, little-endian
    ]
)
HEADER = "index.json"
NEW = 255  # the first byte of the rank of this run's own documents; earlier runs have their place in `against`


@dataclass(frozen=True)
class Place:
    """One file of signatures: its URI; its era, the first byte that ranks in it get; where the clusters of its documents
    stand (None for this run's own: they are not known yet)."""

    signatures: str
    era: int = NEW
    clusters: str | None = None


@dataclass(frozen=True)
class Index:
    """An earlier run's signatures: the folder of that run's dedup_documents, its place in `against`, its shards."""

    folder: str
    era: int
    shards: int

    @property
    def places(self) -> list[Place]:
        """The files, by shard."""
        return [
            Place(
                storage.join(self.folder, "signatures", shard_name(shard)),
                self.era,
                storage.join(self.folder, "clusters", f"shard={shard}"),
            )
            for shard in range(self.shards)
        ]


def header(config: DedupDocumentsConfig) -> dict[str, Any]:
    """What two indexes must have in common to be compared."""
    return {
        "layout": 2,  # raised whenever the columns, the normal form or the hash of a unit change
        "words": config.words,
        "characters": config.characters,
        "permutations": config.permutations,
        "bands": config.bands,
        "rows": config.rows,
        "scheme": config.scheme,
        "seed": config.seed,
    }


def write_header(folder: str, config: DedupDocumentsConfig, shards: int) -> None:
    storage.write_json(storage.join(folder, HEADER), {**header(config), "shards": shards})


def earlier(config: DedupDocumentsConfig) -> list[Index]:
    """The indexes that this run is compared with. Raises ConfigError where one is missing or was made in another way."""
    if len(config.against) >= NEW:
        raise ConfigError(f"dedup_documents.against: {len(config.against)} earlier runs; at most {NEW - 1} can be named.")
    found = []
    for era, run in enumerate(config.against):
        folder = storage.join(run, "dedup_documents")
        uri = storage.join(folder, HEADER)
        for needed in (uri, storage.join(folder, "clusters", "_SUCCESS")):
            if not storage.exists(needed):
                raise ConfigError(
                    f"dedup_documents.against: {run} has no {needed}; name the directory of a run that has finished this stage."
                )
        theirs = storage.read_json(uri)
        for name, ours in header(config).items():
            if theirs.get(name) != ours:
                raise ConfigError(
                    f"dedup_documents.{name} = {ours!r}, but the index of {run} was made with {theirs.get(name)!r}; "
                    f"only equal ones can be compared: change the setting, or make that index again."
                )
        found.append(Index(folder, era, int(theirs["shards"])))
    return found
