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

from core.config import ConfigError
from datapipe.config import ResampleConfig
from datapipe.document import INSTRUCT, Verdict, with_verdicts
from datapipe.mix.bands import UNSCORED, Bands, bins, find_bands
from datapipe.mix.cuts import Cut, find_cuts, histograms, selected
from datapipe.mix.outcome import mix_facts
from datapipe.mix.ranks import fraction, ranks
from datapipe.mix.subdomains import entry_name, with_entries
from datapipe.mix.table import solve, stratum
from datapipe.work import Batches, ShardTask, Work

KEYS = pa.schema(
    [
        ("id", pa.string()),
        ("stratum", pa.string()),
        ("domain", pa.string()),
        ("language", pa.string()),
        ("bin", pa.int64()),
        ("rank", pa.int64()),
        ("tokens", pa.int64()),
        ("instruct", pa.bool_()),
    ]
)


def resample(work: Work) -> dict[str, Any]:
    """Selects documents; refuses a mix that the corpus cannot give. Facts: the mix asked for and the mix got."""
    config: ResampleConfig = work.config
    seed = work.settings.seed
    keys = work.emit("keys", partial(stratum_keys, config=config, seed=seed), KEYS)
    bands = find_bands(keys, config.mix)
    keys = keys.withColumn("stratum", bands.column())
    counts = histograms(keys)
    available = {name: int(histogram.tokens.sum()) for name, histogram in counts.items()}
    _require_scores(config, available)
    plan = solve(config, available)
    wanted = {name: target.select for name, target in plan.targets.items()}
    cuts = find_cuts(keys, counts, wanted, config.minimum_documents)
    facts = mix_facts(config, plan, cuts, bands, keys.where(selected(cuts)))
    divided = frozenset(domain for domain in plan.shares if plan.divided(domain))
    return {**work.judge(partial(select, config=config, seed=seed, cuts=cuts, bands=bands, divided=divided)), **facts}


def _require_scores(config: ResampleConfig, available: Mapping[str, int]) -> None:
    for domain, share in config.mix.items():
        own = [name for name in available if name.partition("/")[0] == domain]
        if share.quality and own and all(name.endswith(f"/{UNSCORED}") for name in own):
            raise ConfigError(
                f"mix.{domain}.quality: none of its documents has a score; name {domain} in filter_quality.domains and train "
                "a classifier for its languages, or leave the bands out."
            )


def stratum_keys(batches: Batches, shard: ShardTask, config: ResampleConfig, seed: int) -> Iterator[pa.RecordBatch]:
    """One row a document of the mix: where it counts, its bin of quality, its rank, its tokens (estimated from its bytes), and
    whether it is instruct data."""
    for batch in batches:
        ids, domains, languages = (batch.column(name).to_pylist() for name in ("id", "domain", "language"))
        sizes = pc.binary_length(batch.column("text")).to_numpy(zero_copy_only=False)
        rates = [config.rate(*kind) for kind in zip(domains, languages, strict=True)]
        tokens = (sizes * np.array(rates)).astype(np.int64) + 1  # one more ends the document
        names = [stratum(*kind, config.mix) for kind in zip(domains, languages, strict=True)]
        rank = ranks(batch.column("content_hash").to_numpy(), "resample", seed)
        instruct = [any(name == INSTRUCT for name, _ in metadata or ()) for metadata in batch.column("metadata").to_pylist()]
        columns = (ids, names, domains, languages, _bins(batch), rank, tokens, instruct)
        table = pa.RecordBatch.from_arrays(list(map(pa.array, columns)), schema=KEYS)
        wanted = [not config.mix or domain in config.mix for domain in domains]
        yield table.filter(pa.array(wanted, pa.bool_()))


def _bins(batch: pa.RecordBatch) -> np.ndarray:
    scores = batch.column("quality").to_numpy(zero_copy_only=False).astype(np.float32)  # no score is nan
    return bins(scores)


def select(
    batches: Batches, shard: ShardTask, config: ResampleConfig, seed: int, cuts: Mapping[str, Cut], bands: Bands,
    divided: frozenset[str],
) -> Batches:  # fmt: skip
    """Documents beyond the cut of their stratum, or of a domain outside the mix, get their verdict; those that stay, of a
    domain whose parts are repeated at different rates, get the name of their part."""
    for batch in batches:
        ids, domains, languages = (batch.column(name).to_pylist() for name in ("id", "domain", "language"))
        found = ranks(batch.column("content_hash").to_numpy(), "resample", seed).tolist()
        places = _bins(batch).tolist()
        verdicts: list[Verdict | None] = []
        entries: list[str | None] = []
        for identity, domain, language, place, rank in zip(ids, domains, languages, places, found, strict=True):
            name = bands.name(stratum(domain, language, config.mix), place)
            entries.append(None)
            if name not in cuts:
                verdicts.append(Verdict("resample.not_in_mix", detail=name))
            elif cuts[name].takes(rank, identity):
                verdicts.append(None)
                entries[-1] = entry_name(name) if domain in divided else None
            else:
                verdicts.append(Verdict("resample.not_selected", fraction(rank), fraction(cuts[name].rank), name))
        yield with_entries(with_verdicts(batch, verdicts), entries)
