"""The domain table (report, Table 1) held against what the corpus has: tokens to take of each domain, or why it cannot be.

A domain asks for a share of the training tokens and says how often its text may be seen (its epochs). Where it also asks
for a ratio of languages, each of them is a stratum of its own, and all further languages together are one more that keeps
the share that it has. Everything below counts in tokens.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from core.config import ConfigError
from datapipe.config import DomainShare, ResampleConfig

OTHER = "other"


@dataclass(frozen=True)
class Target:
    """What one stratum gives: tokens asked of it for the whole training run, tokens that it has, epochs allowed."""

    domain: str
    asked: float
    available: int
    allowed_epochs: float

    @property
    def select(self) -> float:
        """Tokens to select: what is asked, or all there is where it must be seen more than once."""
        return min(self.asked, float(self.available))

    @property
    def epochs(self) -> float:
        """Epochs over the whole stratum that the asked tokens take."""
        return self.asked / self.available if self.available else math.inf


@dataclass(frozen=True)
class Plan:
    """The mix that will be: its token budget, the share of each domain (they sum to 1), and a target a stratum."""

    budget: float
    shares: Mapping[str, float]
    targets: Mapping[str, Target]
    missing: list[str]
    short: list[str]


def stratum(domain: str, language: str, mix: Mapping[str, DomainShare]) -> str:
    """The stratum of a document: its domain, or domain/language where the domain asks for a ratio of languages."""
    languages = mix[domain].languages if domain in mix else {}
    return f"{domain}/{language if language in languages else OTHER}" if languages else domain


def solve(config: ResampleConfig, available: Mapping[str, int]) -> Plan:
    """The plan for `available` tokens a stratum. Raises ConfigError where the corpus cannot give what is asked."""
    mix = config.mix or {name.partition("/")[0]: DomainShare() for name in sorted(available)}
    missing = [domain for domain in mix if not _total(domain, available)]
    missing += [
        f"{domain}/{language}"
        for domain, share in mix.items()
        for language in share.languages
        if domain not in missing and not available.get(f"{domain}/{language}")
    ]
    if missing and config.on_missing == "refuse":
        raise ConfigError(
            f"mix: the corpus has no text for {', '.join(missing)}; give their sources text, take them out of the mix, or "
            "set on_missing: drop, which shares their part among the others."
        )
    present = {domain: share for domain, share in mix.items() if domain not in missing}
    if not present:
        raise ConfigError("mix: the corpus has no text for any of its domains.")
    asked = {
        domain: share.epochs * _total(domain, available) if share.proportion is None else share.proportion
        for domain, share in present.items()
    }
    shares = {domain: weight / sum(asked.values()) for domain, weight in asked.items()}
    parts = {
        name: (domain, shares[domain] * part)
        for domain, share in present.items()
        for name, part in _strata(domain, share, available).items()
    }
    possible = min(mix[domain].epochs * available[name] / part for name, (domain, part) in parts.items())
    budget = float(config.tokens) if config.tokens else possible
    short = []
    for name, (domain, part) in parts.items():
        wanted = budget * part
        if wanted > mix[domain].epochs * available[name] * (1 + 1e-9):
            short.append(
                f"{name}: {wanted:,.0f} tokens are asked for and {available[name]:,} are there, "
                f"{_epochs(wanted / available[name])} epochs, {mix[domain].epochs:g} are allowed"
            )
    if short and config.on_shortfall == "refuse":
        raise ConfigError(
            f"tokens = {config.tokens:,}: the corpus cannot give this mix. {'; '.join(short)}. Allow more epochs, ask for "
            f"{int(possible):,} tokens or fewer, or set on_shortfall: scale."
        )
    budget = min(budget, possible)
    targets = {
        name: Target(domain, budget * part, available[name], mix[domain].epochs) for name, (domain, part) in parts.items()
    }
    return Plan(budget, shares, targets, missing, short)


def _total(domain: str, available: Mapping[str, int]) -> int:
    return sum(tokens for name, tokens in available.items() if name.partition("/")[0] == domain)


def _strata(domain: str, share: DomainShare, available: Mapping[str, int]) -> dict[str, float]:
    """The part of the domain's tokens that each of its strata gives."""
    named = {f"{domain}/{language}": ratio for language, ratio in share.languages.items()}
    named = {name: ratio for name, ratio in named.items() if available.get(name)}
    if not share.languages:
        return {domain: 1.0}
    others = f"{domain}/{OTHER}"
    rest = available.get(others, 0) / _total(domain, available)
    parts = {name: (1 - rest) * ratio / sum(named.values()) for name, ratio in named.items()}
    return {**parts, others: rest} if rest else parts


def _epochs(value: float) -> str:
    """Rounded up, so that allowing what is printed is enough."""
    return f"{math.ceil(value * 100) / 100:g}"
