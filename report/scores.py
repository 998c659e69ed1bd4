"""The validation table: loss and bits per byte of each domain beside a model that knows only how often each token occurs."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from report.read import RunFacts

FEW_TOKENS = 2000


@dataclass(frozen=True)
class ScoreRow:
    """A domain's scores: loss in nats per token, bpb in bits per UTF-8 byte; the unigram's where it was measured.

    beside: bpb of other models on the same text, by their names in the config.
    """

    domain: str
    tokens: int
    utf8_bytes: int
    loss: float
    bpb: float
    unigram_loss: float | None
    unigram_bpb: float | None
    beside: dict[str, float] = field(default_factory=dict)

    @property
    def few(self) -> bool:
        """Too little text for the third digit, at times the second, to mean anything."""
        return self.tokens < FEW_TOKENS


def score_table(facts: RunFacts) -> list[ScoreRow]:
    """What the evaluate stage measured, in the order of the mix."""
    manifest = facts.stage("evaluate").manifest
    scores, others = manifest.get("bpb", {}), manifest.get("beside", {})
    order = {name: place for place, name in enumerate(facts.domains)}
    rows = []
    for domain in sorted(scores, key=lambda name: (order.get(name, len(order)), name)):
        row = scores[domain]
        unigram = row.get("unigram_loss")
        per_byte = row["tokens"] / row["utf8_bytes"] / math.log(2)
        rows.append(
            ScoreRow(
                domain, row["tokens"], row["utf8_bytes"], row["loss"], row["bpb"], unigram,
                None if unigram is None else unigram * per_byte,
                {name: other["bpb"][domain]["bpb"] for name, other in others.items() if domain in other["bpb"]},
            )
        )  # fmt: skip
    return rows


def overall(rows: list[ScoreRow]) -> ScoreRow | None:
    """All domains as one text: every token and every byte counts once."""
    if not rows:
        return None
    tokens, size = sum(row.tokens for row in rows), sum(row.utf8_bytes for row in rows)
    loss = sum(row.loss * row.tokens for row in rows) / tokens
    known = [row.unigram_loss * row.tokens for row in rows if row.unigram_loss is not None]
    unigram = sum(known) / tokens if len(known) == len(rows) else None
    per_byte = tokens / size / math.log(2)
    names = {name for row in rows for name in row.beside}
    others = {
        name: sum(row.beside[name] * row.utf8_bytes for row in rows) / size
        for name in sorted(names)
        if all(name in row.beside for row in rows)
    }
    bits = None if unigram is None else unigram * per_byte
    return ScoreRow("All", tokens, size, loss, loss * per_byte, unigram, bits, others)
