"""Parts of a domain that the trainer repeats at different rates: under which name of the mix a document is trained on.

Epochs are applied once, by the trainer's blend. Where the parts of a domain (a scarce language, the best band of quality) are
to be seen more often than others, each is an entry of the mix of its own, named `Domain.part`; `resample` writes that name
beside the document and `encode` puts it into shards of that name. A domain that is seen evenly stays one entry.
"""

from __future__ import annotations

import pyarrow as pa

from datapipe.document import SCHEMA, set_column

KEY = "subdomain"  # in a document's metadata


def entry_name(stratum: str) -> str:
    """The name of a stratum (domain/language/band) as an entry of the mix, which is also a folder."""
    return stratum.replace("/", ".")


def entries(batch: pa.RecordBatch) -> list[str]:
    """The entry of the mix that each document of a batch belongs to."""
    found = zip(batch.column("domain").to_pylist(), batch.column("metadata").to_pylist(), strict=True)
    return [dict(metadata or ()).get(KEY, domain) for domain, metadata in found]


def with_entries(batch: pa.RecordBatch, names: list[str | None]) -> pa.RecordBatch:
    """The batch with these names in its metadata; None leaves a document as it is."""
    if not any(names):
        return batch
    known = batch.column("metadata").to_pylist()
    merged = [list({**dict(old or ()), KEY: name}.items()) if name else old for old, name in zip(known, names, strict=True)]
    return set_column(batch, "metadata", pa.array(merged, SCHEMA.field("metadata").type))
