"""Files of signatures into rows for buckets, and buckets into pairs: what runs on either side of the shuffle by band.

A row is a band's key and the rank of a document followed by its sketch, in one binary value: sorted by it, the documents of a
bucket stand in the order of their ranks. With 120 permutations a row has 101 bytes, and a document 20 of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import xxhash
from numpy.typing import NDArray

from core import storage
from datapipe.config import DedupDocumentsConfig
from datapipe.dedup.index import NEW, Place
from datapipe.dedup.meet import Meeting, Reach
from datapipe.dedup.minhash import EMPTY, MinHash, sketches
from datapipe.dedup.rank import SIZE, binary, matrix

ROWS = pa.schema([("band", pa.int64()), ("row", pa.binary())])
PAIRS = pa.schema([("leader", pa.binary()), ("member", pa.binary())])
_DOCUMENTS = 2000  # signatures handled at once


def bands(batches: Iterator[pa.RecordBatch], places: Sequence[Place], config: DedupDocumentsConfig) -> Iterator[pa.RecordBatch]:
    """The rows of each document in the files that the batches name (column `id`, an index of `places`), save the documents
    that an earlier run removed."""
    for batch in batches:
        for index in batch.column("id").to_pylist():
            place = places[index]
            removed = pa.array(_removed(place), pa.string())
            with storage.open_uri(place.signatures) as handle:
                columns = ["id", "rank", "signature", "domain", "language"]
                for part in pq.ParquetFile(handle).iter_batches(_DOCUMENTS, columns=columns):
                    if len(removed):
                        part = part.filter(pc.invert(pc.is_in(part.column("id"), removed)))
                    yield _rows(part, place.era, config)


def _removed(place: Place) -> list[str]:
    """The ids in this file that an earlier run removed: their survivors stand for them."""
    gone: list[str] = []
    if place.clusters is not None:
        for info in storage.listing(place.clusters):
            if info.uri.endswith(".parquet"):
                with storage.open_uri(info.uri) as handle:
                    table = pq.ParquetFile(handle).read(["id", "survivor"])
                    gone += table.filter(pc.is_valid(table.column("survivor"))).column("id").to_pylist()
    return gone


def _rows(part: pa.RecordBatch, era: int, config: DedupDocumentsConfig) -> pa.RecordBatch:
    signed = matrix(part.column("signature"), 4 * config.permutations).view("<u4").astype(np.uint32, copy=False)
    filled = np.flatnonzero((signed != EMPTY).any(axis=1))  # a document without a word is nobody's copy
    signed = signed[filled]
    keys = MinHash.of(config).band_hashes(signed)
    keys ^= _groups(part, config)[filled][:, None]
    ranks = matrix(part.column("rank"), SIZE)[filled]
    ranks = np.concatenate([np.full((len(filled), 1), era, np.uint8), ranks[:, 1:]], axis=1)
    rows = np.concatenate([ranks, sketches(signed).view(np.uint8)], axis=1)
    return pa.RecordBatch.from_arrays([pa.array(keys.reshape(-1)), binary(np.repeat(rows, config.bands, axis=0))], schema=ROWS)


def _groups(part: pa.RecordBatch, config: DedupDocumentsConfig) -> NDArray[np.int64]:
    """What the band keys of each document are salted with [D]: documents meet only where it is the same."""
    domains, languages = part.column("domain").to_pylist(), part.column("language").to_pylist()
    known: dict[tuple[str, str], int] = {}
    for domain, language in set(zip(domains, languages, strict=True)):
        scope = config.domain_scopes.get(domain, config.scope)
        name = {"corpus": "", "language": language, "domain": domain}[scope]
        known[domain, language] = xxhash.xxh3_64_intdigest(f"{scope} {name}".encode())
    salts = [known[pair] for pair in zip(domains, languages, strict=True)]
    return np.array(salts, np.uint64).view(np.int64)


def meet(batches: Iterator[pa.RecordBatch], config: DedupDocumentsConfig) -> Iterator[pa.RecordBatch]:
    """The pairs of each bucket, from rows sorted by (band, row); a document that found no room among the leaders has no
    leader. Two documents of earlier runs are not paired again."""
    meeting = Meeting(Reach.of(config))
    width = SIZE + 8 * -(-config.permutations // 16)
    for batch in batches:
        rows = matrix(batch.column("row"), width)
        words = np.ascontiguousarray(rows[:, SIZE:]).view(np.uint64)
        found = meeting.batch(batch.column("band").to_numpy(), rows[:, :SIZE], words)
        fresh, alone = found.member[:, 0] == NEW, found.overflow[:, 0] == NEW
        leaders = pa.concat_arrays([binary(found.leader[fresh]), pa.nulls(int(alone.sum()), pa.binary())])
        members = binary(np.concatenate([found.member[fresh], found.overflow[alone]]))
        yield pa.RecordBatch.from_arrays([leaders, members], schema=PAIRS)
