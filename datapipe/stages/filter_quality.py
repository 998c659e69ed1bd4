"""Quality filter: pages that the classifier of their language scores too low are removed; scores are stored.

A language without a classifier passes unfiltered, and the facts say which and how many documents that was.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import pyarrow as pa

from core import storage
from core.config import ConfigError
from datapipe.config import FilterQualityConfig
from datapipe.document import Verdict, set_column, with_verdicts
from datapipe.quality.measures import threshold_for
from datapipe.quality.model import Scorer, load
from datapipe.stages.train_quality import CARD
from datapipe.work import Batches, ShardTask, Work

RULE = "filter_quality.score"


def filter_quality(work: Work) -> dict[str, Any]:
    """Scores the documents of the configured domains and removes those below their language's threshold."""
    config: FilterQualityConfig = work.config
    trained = work.inputs["train_quality"]
    cards = storage.read_json(trained.path(CARD))
    bounds = thresholds(cards, config)
    models = {
        language: (trained.path(cards[language]["model"]), cards[language]["sha256"], _settings(cards[language]))
        for language in bounds
    }
    facts = work.judge(partial(judge, domains=config.domains, models=models, bounds=bounds))
    counts = work.kept("domain", "language").groupBy("domain", "language").count().collect()
    passed: dict[str, int] = {}
    for row in counts:
        if row["domain"] in config.domains and row["language"] not in bounds:
            passed[row["language"]] = passed.get(row["language"], 0) + row["count"]
    unfiltered = {
        name: {"documents": passed[name], "reason": cards.get(name, {}).get("reason", "no classifier is configured")}
        for name in sorted(passed)
    }
    return {**facts, "thresholds": bounds, "unfiltered": unfiltered}


def thresholds(cards: dict[str, Any], config: FilterQualityConfig) -> dict[str, float]:
    """The lowest score kept in each language that has a classifier."""
    trained = {language: card for language, card in cards.items() if card["trained"]}
    if config.threshold is not None:
        return dict.fromkeys(trained, config.threshold)
    empty = [language for language, card in trained.items() if not card["crawl_quantiles"]]
    if empty:
        raise ConfigError(
            f"filter_quality.keep_rate: no unseen crawl pages were scored for {', '.join(empty)}; set filter_quality.threshold."
        )
    return {language: threshold_for(config.keep_rate, card["crawl_quantiles"]) for language, card in trained.items()}


def _settings(card: dict[str, Any]) -> tuple[float, float, int, int]:
    return card["calibrated"]["slope"], card["calibrated"]["shift"], card["windows"], card["window"]


Models = dict[str, tuple[str, str, tuple[float, float, int, int]]]


def judge(batches: Batches, shard: ShardTask, domains: list[str], models: Models, bounds: dict[str, float]) -> Batches:
    """Writes the score of each document that is scored, and removes it where that lies below the bound."""
    scorers = {language: Scorer(load(uri, version), *settings) for language, (uri, version, settings) in models.items()}
    for batch in batches:
        scores: list[float | None] = batch.column("quality").to_pylist()
        verdicts: list[Verdict | None] = [None] * batch.num_rows
        texts = batch.column("text")
        places = list(zip(batch.column("domain").to_pylist(), batch.column("language").to_pylist(), strict=True))
        for language, scorer in scorers.items():
            rows = [row for row, place in enumerate(places) if place[0] in domains and place[1] == language]
            given = scorer([texts[row].as_py() for row in rows])
            for row, score in zip(rows, given.tolist(), strict=True):
                scores[row] = score
                if score < bounds[language]:
                    verdicts[row] = Verdict(RULE, score, bounds[language])
        yield set_column(with_verdicts(batch, verdicts), "quality", pa.array(scores, pa.float32()))
