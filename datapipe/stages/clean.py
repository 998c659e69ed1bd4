"""Clean: lines that no prose holds go, then documents that break a bound, and personal data in what stays is replaced.

Documents are taken in groups that meet the same set of bounds, so that each group is one shared view and no rule made
for one language ever measures another. The text of a document that goes stays as it came, for whoever reads the ledger.
"""

from __future__ import annotations

import re
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

from core.config import ConfigError
from datapipe.config import CleanConfig
from datapipe.document import SCHEMA, Verdict, set_column, with_verdicts
from datapipe.rules import lists, pii
from datapipe.rules.groups import groups
from datapipe.rules.judge import judge, remove_lines
from datapipe.rules.sets import Bounds, BoundSet
from datapipe.text.view import TextView
from datapipe.work import Batches, ShardTask, Work

_BLANK_LINES = re.compile(r"\n{3,}")


def clean(work: Work) -> dict[str, Any]:
    """Every document with its verdict; what stays is edited. Raises ConfigError where no bounds are configured."""
    config: CleanConfig = work.config
    if not config.use:
        raise ConfigError("clean.use is empty: no bounds would hold; put `extends: cleaning.yaml` in the config.")
    return work.judge(partial(_clean_shard, config=config))


def _clean_shard(batches: Batches, shard: ShardTask, config: CleanConfig) -> Batches:
    bounds = Bounds(config)
    for batch in batches:
        yield clean_batch(batch, bounds, config)


def clean_batch(batch: pa.RecordBatch, bounds: Bounds, config: CleanConfig) -> pa.RecordBatch:
    """The rows of a batch in the form of `SCHEMA`, cleaned: verdicts set, texts edited, measures added."""
    texts: list[str] = batch.column("text").to_pylist()
    verdicts: list[Verdict | None] = [None] * len(texts)
    measures: list[dict[str, float]] = [{} for _ in texts]
    edited: dict[int, str] = {}
    for row, text in enumerate(texts):
        if len(text) > config.longest:
            verdicts[row] = Verdict("clean.longest", float(len(text)), float(config.longest))
    for entry, language, rows in groups(batch, texts, bounds, config.longest):
        view = TextView.of([texts[row] for row in rows], lists.flagged(config.flagged_in(language)))
        _clean_group(view, entry, rows, config, verdicts, measures, edited)
    if edited:
        batch = with_verdicts(batch, verdicts, [edited.get(row, text) for row, text in enumerate(texts)])
    else:
        batch = with_verdicts(batch, verdicts)
    return _with_measures(batch, measures) if any(measures) else batch


def _clean_group(
    came: TextView, entry: BoundSet, rows: list[int], config: CleanConfig,
    verdicts: list[Verdict | None], measures: list[dict[str, float]], edited: dict[int, str],
) -> None:  # fmt: skip
    view, taken = remove_lines(came, entry.lines)
    kept = []
    for place, verdict in enumerate(judge(view, entry.pages)):
        verdicts[rows[place]] = verdict
        if verdict is None:
            kept.append(place)
    for name, lines in taken.items():
        for place in np.flatnonzero(lines).tolist():
            measures[rows[place]][f"lines:{name}"] = float(lines[place])
    changed = (view.documents.lengths != came.documents.lengths).tolist()
    replaced = pii.replace(view, kept, config.pii) if config.pii else {}
    for place in kept:
        text, counts = replaced.get(place) or (view.text(place), {})
        if changed[place] or counts:
            edited[rows[place]] = _BLANK_LINES.sub("\n\n", text.strip("\n")) if changed[place] else text
        for kind, count in counts.items():
            measures[rows[place]][f"pii:{kind}"] = float(count)


def _with_measures(batch: pa.RecordBatch, measures: list[dict[str, float]]) -> pa.RecordBatch:
    """The batch with these measures beside those that its documents have."""
    before = batch.column("measures").to_pylist()
    merged = [
        list({**dict(old or ()), **new}.items()) if old or new else None for old, new in zip(before, measures, strict=True)
    ]
    return set_column(batch, "measures", pa.array(merged, SCHEMA.field("measures").type))
