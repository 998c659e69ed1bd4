"""The mix: documents selected so that a token budget is met in the proportions of the domain table (report, Table 1).

Each document is taken at most once, by its content hash, so any cluster takes the same ones. Epochs above one are written
down for the trainer, which repeats; nothing is copied. Tokens are estimated from bytes, as no tokenizer exists yet; the
trainer weighs the domains by exact counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from datapipe.config import ResampleConfig
from datapipe.document import Verdict, with_verdicts
from datapipe.mix.cuts import Cut, find_cuts, histograms, selected
from datapipe.mix.ranks import fraction, ranks
from datapipe.mix.table import Plan, solve, stratum
from datapipe.work import Batches, ShardTask, Work

KEYS = pa.schema(
    [
        ("id", pa.string()),
        ("stratum", pa.string()),
        ("domain", pa.string()),
        ("language", pa.string()),
        ("rank", pa.int64()),
        ("tokens", pa.int64()),
    ]
)


def resample(work: Work) -> dict[str, Any]:
    """Selects documents; refuses a mix that the corpus cannot give. Facts: the mix asked for and the mix got."""
    config: ResampleConfig = work.config
    seed = work.settings.seed
    keys = work.emit("keys", partial(stratum_keys, config=config, seed=seed), KEYS)
    counts = histograms(keys)
    plan = solve(config, {name: int(histogram.tokens.sum()) for name, histogram in counts.items()})
    wanted = {name: target.select for name, target in plan.targets.items()}
    cuts = find_cuts(keys, counts, wanted, config.minimum_documents)
    facts = work.judge(partial(select, config=config, seed=seed, cuts=cuts))
    return {**facts, **mix_facts(config, plan, keys.where(selected(cuts)))}


def stratum_keys(batches: Batches, shard: ShardTask, config: ResampleConfig, seed: int) -> Iterator[pa.RecordBatch]:
    """One row a document of the mix: where it counts, its rank, and its tokens as estimated from its bytes."""
    for batch in batches:
        ids, domains, languages = (batch.column(name).to_pylist() for name in ("id", "domain", "language"))
        sizes = pc.binary_length(batch.column("text")).to_numpy(zero_copy_only=False)
        rates = [config.rate(*kind) for kind in zip(domains, languages, strict=True)]
        tokens = (sizes * np.array(rates)).astype(np.int64) + 1  # one more ends the document
        names = [stratum(*kind, config.mix) for kind in zip(domains, languages, strict=True)]
        rank = ranks(batch.column("content_hash").to_numpy(), "resample", seed)
        table = pa.RecordBatch.from_arrays(list(map(pa.array, (ids, names, domains, languages, rank, tokens))), schema=KEYS)
        wanted = [not config.mix or domain in config.mix for domain in domains]
        yield table.filter(pa.array(wanted, pa.bool_()))


def select(batches: Batches, shard: ShardTask, config: ResampleConfig, seed: int, cuts: Mapping[str, Cut]) -> Batches:
    """Documents beyond the cut of their stratum, or of a domain outside the mix, get their verdict."""
    for batch in batches:
        ids, domains, languages = (batch.column(name).to_pylist() for name in ("id", "domain", "language"))
        found = ranks(batch.column("content_hash").to_numpy(), "resample", seed).tolist()
        verdicts: list[Verdict | None] = []
        for identity, domain, language, rank in zip(ids, domains, languages, found, strict=True):
            name = stratum(domain, language, config.mix)
            if name not in cuts:
                verdicts.append(Verdict("resample.not_in_mix", detail=name))
            elif cuts[name].takes(rank, identity):
                verdicts.append(None)
            else:
                verdicts.append(Verdict("resample.not_selected", fraction(rank), fraction(cuts[name].rank), name))
        yield with_verdicts(batch, verdicts)


def mix_facts(config: ResampleConfig, plan: Plan, taken: DataFrame) -> dict[str, Any]:
    """What was asked and what was got, by domain and language, in estimated tokens; what the trainer needs of the mix."""
    rows = taken.groupBy("domain", "language").agg(F.sum("tokens").alias("tokens"), F.count("*").alias("documents"))
    got: dict[str, dict[str, int]] = {}
    documents: dict[str, int] = {}
    for row in sorted(rows.collect(), key=lambda row: (row.domain, row.language)):
        got.setdefault(row.domain, {})[row.language] = row.tokens
        documents[row.domain] = documents.get(row.domain, 0) + row.documents
    mix = {}
    for domain, share in plan.shares.items():
        targets = [target for target in plan.targets.values() if target.domain == domain]
        chosen = sum(got.get(domain, {}).values())
        asked = sum(target.asked for target in targets)
        mix[domain] = {
            "proportion": share,
            "epochs": max(1.0, targets[0].allowed_epochs),
            "asked_tokens": round(asked),
            "available_tokens": sum(target.available for target in targets),
            "selected_tokens": chosen,
            "selected_documents": documents.get(domain, 0),
            "epochs_of_budget": round(asked / chosen, 4) if chosen else None,
            "languages": got.get(domain, {}),
        }
    return {
        "mix": mix,
        "budget": {"asked": config.tokens, "got": round(plan.budget)},
        "trained_languages": _languages(plan, got),
        "missing": plan.missing,
        "short": plan.short,
    }


def _languages(plan: Plan, got: Mapping[str, Mapping[str, int]]) -> dict[str, float]:
    """Share of each language in what the trainer will see: its share in each domain, by the weight of the domain."""
    shares: dict[str, float] = {}
    for domain, languages in got.items():
        for language, tokens in languages.items():
            part = plan.shares[domain] * tokens / sum(languages.values())
            shares[language] = shares.get(language, 0.0) + part
    return {name: round(share, 6) for name, share in sorted(shares.items(), key=lambda entry: -entry[1])}
