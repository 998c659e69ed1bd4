"""Quality classifiers: for each language, fastText learns to tell reference-like text from random crawl.

Which documents serve as which is named in the config. A few windows of each chosen document travel to the driver, at most
`documents` of each class and language, chosen by the hash of their ids: bounded, and the same on any cluster.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import partial
from typing import Any

import pyarrow as pa
import xxhash
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from core import storage
from datapipe.config import QualitySources, Selector, TrainQualityConfig
from datapipe.quality.baselines import Sample
from datapipe.quality.card import make
from datapipe.quality.describe import markdown
from datapipe.quality.model import save
from datapipe.quality.windows import host, windows
from datapipe.work import Batches, ShardTask, Work

CARD = "model_card.json"
SAMPLES = pa.schema(
    [
        ("language", pa.string()),
        ("positive", pa.bool_()),
        ("order", pa.int64()),
        ("id", pa.string()),
        ("host", pa.string()),
        ("domain", pa.string()),
        ("characters", pa.int64()),
        ("lines", pa.list_(pa.string())),
    ]
)


def train_quality(work: Work) -> dict[str, Any]:
    """Writes a model for each language that has enough documents, and one card on all of them."""
    config: TrainQualityConfig = work.config
    samples = work.emit("samples", partial(sample, config=config, seed=work.settings.seed), SAMPLES)
    cards = {}
    for language, sources in config.languages.items():
        scorer, card = make(chosen(samples, language, config), config, work.settings.seed)
        if scorer is not None:
            uri = work.directory.path(f"{language}.bin")
            save(scorer.model, uri)
            with storage.open_uri(uri) as handle:
                content = handle.read()
            card.update(model=f"{language}.bin", bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
        card["sources"] = {"positives": _plain(sources.positives), "negatives": _plain(sources.negatives)}
        cards[language] = {"language": language, **card, "windows": config.windows, "window": config.window}
    storage.write_json(work.directory.path(CARD), cards)
    storage.write_text(work.directory.path("model_card.md"), markdown(cards))
    return {"languages": cards}


def _plain(selectors: list[Selector]) -> list[dict[str, list[str]]]:
    return [{"domains": selector.domains, "sources": selector.sources} for selector in selectors]


def sample(batches: Batches, shard: ShardTask, config: TrainQualityConfig, seed: int) -> Iterator[pa.RecordBatch]:
    """The windows of the `documents` documents of each class and language that come first in this shard by their hash.

    What is first in the corpus is first in its shard, so no more than that is needed from any.
    """
    heaps: dict[tuple[str, bool], list[tuple[int, str, dict[str, Any]]]] = {}
    for batch in batches:
        columns = ("id", "language", "domain", "source", "url", "metadata", "text")
        for row in zip(*(batch.column(name).to_pylist() for name in columns), strict=True):
            identity, language, domain, source, url, metadata, text = row
            positive = role(config.languages.get(language), domain, source)
            if positive is None or not text.strip():
                continue
            order = xxhash.xxh3_64_intdigest(f"{seed} {identity}".encode()) >> 1
            heap = heaps.setdefault((language, positive), [])
            if len(heap) >= config.documents and -order <= heap[0][0]:
                continue
            entry = {
                "language": language, "positive": positive, "order": order, "id": identity, "domain": domain,
                "host": host(url, source, dict(metadata or []).get("path")), "characters": len(text),
                "lines": windows(text, config.windows, config.window),
            }  # fmt: skip
            (heapq.heappush if len(heap) < config.documents else heapq.heappushpop)(heap, (-order, identity, entry))
    for key in sorted(heaps):
        rows = [entry for _, _, entry in sorted(heaps[key], key=lambda item: (-item[0], item[1]))]
        for start in range(0, len(rows), 1000):
            yield pa.RecordBatch.from_pylist(rows[start : start + 1000], schema=SAMPLES)


def role(sources: QualitySources | None, domain: str, source: str) -> bool | None:
    """True for a positive, False for a negative, None for neither; where both name a document it is a positive."""
    if sources is None:
        return None
    for positive, selectors in ((True, sources.positives), (False, sources.negatives)):
        if any(selects(selector, domain, source) for selector in selectors):
            return positive
    return None


def selects(selector: Selector, domain: str, source: str) -> bool:
    """Whether every list that the selector gives holds for a document."""
    in_domain = not selector.domains or domain in selector.domains
    return in_domain and (not selector.sources or any(fnmatchcase(source, glob) for glob in selector.sources))


def chosen(samples: DataFrame, language: str, config: TrainQualityConfig) -> list[Sample]:
    """The first `documents` of each class, in the order of their hashes."""
    rows = []
    for positive in (True, False):
        own = samples.where((F.col("language") == language) & (F.col("positive") == positive))
        rows += own.orderBy("order", "id").limit(config.documents).collect()
    rows.sort(key=lambda row: (row["order"], row["id"]))
    return [
        Sample(row["positive"], row["id"], row["host"], row["domain"], row["characters"], list(row["lines"])) for row in rows
    ]
