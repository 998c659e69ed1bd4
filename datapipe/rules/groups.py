"""The documents of a batch in groups that one shared view can hold: one language, one set of bounds, a bounded size."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from datapipe.rules.sets import Bounds, BoundSet

GROUP_CHARACTERS = 1 << 21
"""Characters of one view: enough that numpy's calls cost nothing, few enough to stay near the caches (60 MB of arrays)."""


def groups(batch: pa.RecordBatch, texts: list[str], bounds: Bounds, longest: int) -> Iterator[tuple[BoundSet, str, list[int]]]:
    """Rows of one language that meet the same bounds, in runs of bounded size; rows that are too long are left out."""
    waiting: dict[tuple[str, str], list[int]] = {}
    sizes: dict[tuple[str, str], int] = {}
    kinds = zip(batch.column("domain").to_pylist(), batch.column("language").to_pylist(), strict=True)
    for row, (domain, language) in enumerate(kinds):
        if len(texts[row]) > longest:
            continue
        key = bounds.of(domain, language).name, language
        waiting.setdefault(key, []).append(row)
        sizes[key] = sizes.get(key, 0) + len(texts[row])
        if sizes[key] >= GROUP_CHARACTERS:
            yield bounds.sets[key[0]], language, waiting.pop(key)
            sizes[key] = 0
    for (name, language), rows in waiting.items():
        yield bounds.sets[name], language, rows
