"""The token table: what the mix asked of each domain, as the report's Table 1 prints it, and what the run got."""

from __future__ import annotations

from dataclasses import dataclass

from report.read import RunFacts


@dataclass(frozen=True)
class MixRow:
    """A domain's line of the table.

    asked: percent of the training tokens in the run's config, as Table 1 prints it; asked_epochs: beside it there;
    train_tokens: tokens of one epoch, and their share of all; epochs, seen, got: how often training went through them, how
    many it drew and which share of all that it drew; None where training has not ended.
    """

    domain: str
    asked: float
    asked_epochs: float
    train_tokens: int
    share: float
    epochs: float | None
    seen: float | None
    got: float | None
    validation_tokens: int


def mix_table(facts: RunFacts) -> list[MixRow]:
    """The table from the resolved config, the encode stage's exact counts and, where training ended, what it drew.

    A config that names no mix takes the corpus as it is: then the shares that encode wrote down are what was asked.
    """
    mix = facts.stage("encode").manifest.get("mix", {})
    asked = (facts.config.get("resample") or {}).get("mix") or {}
    epochs = facts.stage("pretrain").manifest.get("epochs", {})
    whole = sum(row["proportion"] for row in mix.values())
    available = sum(row["train_tokens"] for row in mix.values())
    drawn = sum(epochs[domain] * row["train_tokens"] for domain, row in mix.items() if domain in epochs)
    rows = []
    for domain, row in mix.items():
        tokens = row["train_tokens"]
        seen = epochs[domain] * tokens if domain in epochs else None
        configured = asked.get(domain, {})
        rows.append(
            MixRow(
                domain=domain,
                asked=configured.get("proportion", 100 * row["proportion"] / whole),
                asked_epochs=configured.get("epochs", row["epochs"]),
                train_tokens=tokens,
                share=tokens / available if available else 0.0,
                epochs=epochs.get(domain),
                seen=seen,
                got=seen / drawn if seen is not None and drawn else None,
                validation_tokens=row["validation_tokens"],
            )
        )
    return rows
