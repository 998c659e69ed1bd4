"""What was asked of the mix and what was got, in estimated tokens: by domain and language for readers and the trainer, and by
stratum, where the difference must not be more than one document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from core.config import ConfigError
from datapipe.config import ResampleConfig
from datapipe.mix.bands import Bands, score_of
from datapipe.mix.cuts import Cut
from datapipe.mix.subdomains import entry_name
from datapipe.mix.table import Plan, furthest, language_ratios

Counts = dict[str, dict[str, int]]


def mix_facts(config: ResampleConfig, plan: Plan, cuts: Mapping[str, Cut], bands: Bands, taken: DataFrame) -> dict[str, Any]:
    """The facts of the stage, from the keys of what was taken. Raises ConfigError where the languages must agree and do not."""
    rows = taken.groupBy("stratum", "language").agg(F.sum("tokens").alias("tokens"), F.count("*").alias("documents"))
    tokens: Counts = {}
    documents: dict[str, int] = {}
    for row in sorted(rows.collect(), key=lambda row: (row.stratum, row.language)):
        tokens.setdefault(row.stratum, {})[row.language] = row.tokens
        documents[row.stratum] = documents.get(row.stratum, 0) + row.documents
    mix: dict[str, Any] = {}
    for domain in plan.shares:
        strata = list(plan.of(domain))
        groups = {entry_name(name): [name] for name in strata} if plan.divided(domain) else {domain: strata}
        mix |= {name: {"domain": domain, **_entry(plan, own, tokens, documents)} for name, own in groups.items()}
    languages = trained_languages(mix)
    return {
        "mix": mix,
        "budget": {"asked": config.tokens, "got": round(plan.budget)},
        "strata": {
            name: _stratum(plan, name, sum(tokens.get(name, {}).values()), documents.get(name, 0), cuts[name])
            for name in plan.targets
        },
        "bands": {
            stratum: {name: score_of(lowest) for name, lowest in bounds} for stratum, bounds in bands.bounds.items()
        },
        "instruct": _instruct(taken),
        "trained_languages": languages,
        "languages": _checked(config, languages),
        "missing": plan.missing,
        "short": plan.short,
    }  # fmt: skip


def _entry(plan: Plan, strata: list[str], tokens: Counts, documents: Mapping[str, int]) -> dict[str, Any]:
    """A row of the mix over some strata of a domain."""
    targets = [plan.targets[name] for name in strata]
    languages: dict[str, int] = {}
    for name in strata:
        for language, count in tokens.get(name, {}).items():
            languages[language] = languages.get(language, 0) + count
    asked, chosen = sum(target.asked for target in targets), sum(languages.values())
    return {
        "proportion": asked / plan.budget,
        "epochs": max(1.0, *(target.allowed_epochs for target in targets)),
        "asked_tokens": round(asked),
        "available_tokens": sum(target.available for target in targets),
        "selected_tokens": chosen,
        "selected_documents": sum(documents.get(name, 0) for name in strata),
        "epochs_of_budget": round(asked / chosen, 4) if chosen else None,
        "languages": dict(sorted(languages.items())),
    }


def _stratum(plan: Plan, name: str, tokens: int, documents: int, cut: Cut) -> dict[str, Any]:
    """asked_tokens: to be trained on; select_tokens: to be chosen for that; `step`: the document at the cut, in tokens."""
    target = plan.targets[name]
    return {
        "asked_tokens": round(target.asked, 2),
        "select_tokens": round(target.select, 2),
        "selected_tokens": tokens,
        "selected_documents": documents,
        "available_tokens": target.available,
        "epochs": round(target.epochs, 6),
        "step": cut.step,
    }


def _instruct(taken: DataFrame) -> dict[str, dict[str, float]]:
    """Instruct data among what was taken, in the domains that have any: documents, tokens, and its share of the domain."""
    own = F.when(F.col("instruct"), F.col("tokens"))
    rows = taken.groupBy("domain").agg(
        F.sum(own).alias("tokens"), F.count(own).alias("documents"), F.sum("tokens").alias("whole")
    )
    return {
        row.domain: {"documents": row.documents, "tokens": row.tokens, "share": round(row.tokens / row.whole, 6)}
        for row in sorted(rows.where(F.col("documents") > 0).collect(), key=lambda row: row.domain)
    }


def trained_languages(mix: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """Share of each language in what the trainer will see: its share in each entry, by the weight of the entry."""
    shares: dict[str, float] = {}
    for entry in mix.values():
        whole = sum(entry["languages"].values())
        for language, tokens in entry["languages"].items():
            shares[language] = shares.get(language, 0.0) + entry["proportion"] * tokens / whole
    return {name: round(share, 6) for name, share in sorted(shares.items(), key=lambda entry: (-entry[1], entry[0]))}


def _checked(config: ResampleConfig, got: Mapping[str, float]) -> dict[str, Any]:
    """The ratio of languages over all domains, asked and got."""
    if not config.languages:
        return {}
    ratios = language_ratios(config.languages, got)
    away = furthest(ratios.values())
    if away > config.languages_within and config.on_languages == "refuse":
        found = ", ".join(f"{language} {got.get(language, 0.0):.3f}" for language in config.languages)
        raise ConfigError(
            f"languages = {config.languages}: the mix would give {found} of the training tokens, {away:.0%} away where "
            f"{config.languages_within:.0%} is allowed; change the domains' languages, or set on_languages: report."
        )
    return {
        "asked": dict(config.languages),
        "got_over_asked": {language: round(ratio, 4) for language, ratio in ratios.items()},
        "within": away <= config.languages_within,
    }
