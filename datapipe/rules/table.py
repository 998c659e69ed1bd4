"""All measures of a run's documents as a table, made once and without text, so that thresholds are tried in seconds.

RUN/measures/shards/00000.parquet and so on, one row a document that extract kept: who it is, the set of bounds that it meets,
its first characters, every page measure that is made for its language, and how many lines each line rule took (`lines:<rule>`).
Page measures are of the text that the line rules left, as `clean` takes them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from core import storage
from core.config import ConfigError
from datapipe.config import CleanConfig
from datapipe.rules import lists
from datapipe.rules.groups import groups
from datapipe.rules.judge import measure, remove_lines
from datapipe.rules.registry import LINE_RULES, PAGE_RULES
from datapipe.rules.sets import Bounds
from datapipe.text.view import TextView
from datapipe.work import Batches, ShardTask, Work

FOLDER = "measures"
_EXCERPT = 160  # characters
_WHO = [("id", pa.string()), ("source", pa.string()), ("domain", pa.string()), ("language", pa.string()), ("set", pa.string())]
_SIZE = [("characters", pa.int64()), ("excerpt", pa.string())]


def schema() -> pa.Schema:
    """Names in the order of the rules' tables; a measure that is not made for a document's language is null."""
    pages = [(name, pa.float32()) for name in PAGE_RULES]
    return pa.schema([*_WHO, *_SIZE, *pages, *((f"lines:{name}", pa.int32()) for name in LINE_RULES)])


def measure_documents(work: Work) -> dict[str, Any]:
    """Writes the table of a run; `work.inputs` begins with extract. Returns its number of documents and of measures.

    Raises ConfigError where documents are missing: the run was extracted into another number of shards.
    """
    config = work.settings.clean
    rows = work.emit("shards", partial(_measured, config=config), schema()).count()
    kept = work.inputs["extract"].require()["kept"]
    if rows != kept:
        raise ConfigError(
            f"measure: {rows} documents were measured of the {kept} that extract kept; extract.shards = {work.shards} "
            "is not what the run was extracted with: give its own config."
        )
    return {"documents": rows, "measures": len(PAGE_RULES) + len(LINE_RULES)}


def _measured(batches: Batches, shard: ShardTask, config: CleanConfig) -> Batches:
    bounds = Bounds(config)
    for batch in batches:
        yield measured(batch, bounds, config)


def measured(batch: pa.RecordBatch, bounds: Bounds, config: CleanConfig) -> pa.RecordBatch:
    """The rows of the table for a batch of documents, in its order; those over `clean.longest` have no measure."""
    texts: list[str] = batch.column("text").to_pylist()
    columns = {name: np.full(len(texts), np.nan) for name in PAGE_RULES}
    taken = {name: np.zeros(len(texts), np.int32) for name in LINE_RULES}
    sets: list[str | None] = [None] * len(texts)
    for entry, language, rows in groups(batch, texts, bounds, config.longest):
        came = TextView.of([texts[row] for row in rows], lists.flagged(config.flagged_in(language)))
        view, lines = remove_lines(came, entry.lines)
        for name, values in measure(view, made_for(language)).items():
            columns[name][rows] = values
        for name, counts in lines.items():
            taken[name][rows] = counts
        for row in rows:
            sets[row] = entry.name
    form = schema()
    own = {name: batch.column(name) for name in ("id", "source", "domain", "language")}
    facts = {"set": sets, "characters": list(map(len, texts)), "excerpt": [_excerpt(text) for text in texts]}
    pages = {name: pa.array(values, pa.float32(), mask=np.isnan(values)) for name, values in columns.items()}
    lines_taken = {f"lines:{name}": values for name, values in taken.items()}
    made: dict[str, Any] = {**own, **facts, **pages, **lines_taken}
    return pa.RecordBatch.from_arrays([_array(made[entry.name], entry.type) for entry in form], schema=form)


def made_for(language: str) -> list[str]:
    """The page rules that may judge a language."""
    return [name for name, rule in PAGE_RULES.items() if not rule.languages or language in rule.languages]


def read(uri: str, columns: Sequence[str]) -> Iterator[pa.Table]:
    """These columns of the table at a URI, shard by shard."""
    for info in storage.listing(uri):
        with storage.open_uri(info.uri) as handle:
            yield pq.read_table(handle, columns=list(columns))


def _array(values: Any, kind: pa.DataType) -> pa.Array:
    return values.cast(kind) if isinstance(values, pa.Array) else pa.array(values, kind)


def _excerpt(text: str) -> str:
    return " ".join(text[: 2 * _EXCERPT].split())[:_EXCERPT]
