"""`RUN/report/summary.json`: the run in figures, for scripts and for comparing runs."""

from __future__ import annotations

from typing import Any

from core.mix import domain_of
from report.read import Count, RunFacts, StageFacts


def summary(facts: RunFacts) -> dict[str, Any]:
    """The figures of a run. A part that was not run is absent, so that nobody takes a zero for a result.

    stages.<name>.{in,kept,removed,seconds,by_domain}; tokens.<domain> (training tokens of one epoch);
    train.{steps,first_loss,last_loss,tokens_per_second}; bpb.<domain>; benchmarks.<name>.{score,error,chance,items,of};
    by entry of the mix, which is a domain or a part of one (WebText.en): mix.<entry>.{train_tokens,epochs,...} and
    validation.<entry> (all that evaluate measured).
    """
    found: dict[str, Any] = {
        "run": facts.name,
        "commit": facts.record.get("commit"),
        "seed": facts.config.get("seed"),
        "stages": {entry.name: _stage(entry) for entry in facts.stages if entry.done},
    }
    mix = facts.stage("encode").manifest.get("mix")
    if mix:
        found["tokens"] = by_domain({entry: row["train_tokens"] for entry, row in mix.items()})
        found["mix"] = mix
    train = training(facts)
    if train:
        found["train"] = train
    scores = facts.stage("evaluate").manifest.get("bpb")
    if scores:
        size = by_domain({entry: row["utf8_bytes"] for entry, row in scores.items()})
        bits = by_domain({entry: row["bpb"] * row["utf8_bytes"] for entry, row in scores.items()})
        found["bpb"] = {domain: bits[domain] / size[domain] for domain in bits}
        found["validation"] = scores
    if facts.benchmarks:
        found["benchmarks"] = {
            name: {key: row[key] for key in ("score", "error", "chance", "items", "of")}
            for name, row in facts.benchmarks["scores"].items()
        }
    return found


def by_domain(entries: dict[str, Any]) -> dict[str, Any]:
    """Sums by domain of what is known by entry of the mix: `WebText.en` and `WebText.zh` are parts of `WebText`."""
    sums: dict[str, Any] = {}
    for entry, value in entries.items():
        sums[domain_of(entry)] = sums.get(domain_of(entry), 0) + value
    return sums


def training(facts: RunFacts) -> dict[str, Any] | None:
    """The training run's figures from its manifest, or from its log while it is under way; None before it began."""
    manifest = facts.stage("pretrain").manifest
    if not facts.steps:
        return None
    losses = [step.loss for step in facts.steps if step.loss is not None]
    speeds = sorted(step.tokens_per_second for step in facts.steps if step.tokens_per_second)
    return {
        "steps": manifest.get("steps", facts.steps[-1].step),
        "first_loss": manifest.get("first_loss", losses[0] if losses else None),
        "last_loss": manifest.get("last_loss", losses[-1] if losses else None),
        "tokens_per_second": manifest.get("tokens_per_second", speeds[len(speeds) // 2] if speeds else None),
        "tokens": facts.steps[-1].tokens,
        "finished": facts.stage("pretrain").done,
    }


def _stage(entry: StageFacts) -> dict[str, Any]:
    row: dict[str, Any] = {"seconds": entry.seconds}
    if entry.count is not None:
        row.update(_count(entry.count), by_domain={domain: _count(count) for domain, count in entry.by_domain.items()})
        row["by_rule"] = {rule: sum(domains.values()) for rule, domains in entry.by_rule.items()}
    return row


def _count(count: Count) -> dict[str, Any]:
    row: dict[str, Any] = {"in": count.arrived, "kept": count.kept, "removed": count.removed}
    if count.arrived_bytes is not None:
        row.update(bytes_in=count.arrived_bytes, bytes_kept=count.kept_bytes)
    return row
