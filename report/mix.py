"""The token table: what the mix asked of each domain, as the report's Table 1 prints it, and what the run got."""

from __future__ import annotations

from dataclasses import dataclass

from report.read import RunFacts


@dataclass(frozen=True)
class MixRow:
    """A domain's line of the table.

    asked: proportion of the training tokens in the run's config (a share, not percent); asked_epochs: beside it in Table 1;
    train_tokens: tokens of one epoch; seen: tokens that training drew; None where training has not run.
    """

    domain: str
    asked: float
    asked_epochs: float
    train_tokens: int
    share: float
    seen: float | None
    got: float | None
    epochs: float | None
    validation_tokens: int


def mix_table(facts: RunFacts) -> list[MixRow]:
    """The table from the encode stage's manifest and, where training ran, the tokens it drew from each domain."""
    mix = facts.stage("encode").manifest.get("mix", {})
    drawn = facts.stage("pretrain").manifest.get("drawn_tokens") or {}
    available = sum(row["train_tokens"] for row in mix.values())
    total = sum(drawn.values())
    rows = []
    for domain, row in mix.items():
        seen = drawn.get(domain, 0) if drawn else None
        tokens = row["train_tokens"]
        rows.append(
            MixRow(
                domain=domain,
                asked=row["proportion"],
                asked_epochs=row["epochs"],
                train_tokens=tokens,
                share=tokens / available if available else 0.0,
                seen=seen,
                got=seen / total if seen is not None and total else None,
                epochs=seen / tokens if seen is not None and tokens else None,
                validation_tokens=row["validation_tokens"],
            )
        )
    return rows
