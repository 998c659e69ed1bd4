"""The domain table (report, Table 1) held against what the corpus has: tokens to take of each domain, or why it cannot be.

A domain asks for a share of the training tokens and says how often its text may be seen (its epochs). Where it also asks
for a ratio of languages, each of them is a stratum of its own, and all further languages together are one more that keeps
the share that it has; where it asks for bands of quality, each band of each of those is one, and its tokens weigh as much
as its epochs say. Everything below counts in tokens.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
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

    def of(self, domain: str) -> dict[str, Target]:
        """The targets of a domain's strata."""
        return {name: target for name, target in self.targets.items() if target.domain == domain}

    def divided(self, domain: str) -> bool:
        """Whether the domain's strata must be repeated at different rates: some are asked for more than they have, and not all
        of them for the same number of epochs."""
        epochs = [target.epochs for target in self.of(domain).values()]
        return max(epochs) > 1 + 1e-9 and max(epochs) - min(epochs) > 1e-6 * max(epochs)


def stratum(domain: str, language: str, mix: Mapping[str, DomainShare]) -> str:
    """The stratum of a document before bands: its domain, or domain/language where the domain asks for a ratio of languages."""
    languages = mix[domain].languages if domain in mix else {}
    return f"{domain}/{language if language in languages else OTHER}" if languages else domain


def solve(config: ResampleConfig, available: Mapping[str, int]) -> Plan:
    """The plan for `available` tokens a stratum. Raises ConfigError where the corpus cannot give what is asked."""
    mix = config.mix or {name.partition("/")[0]: DomainShare() for name in sorted(available)}
    weights = {name: _weight(name, mix) for name in available}
    weighted = {name: tokens * weights[name] for name, tokens in available.items() if name.partition("/")[0] in mix}
    missing = _missing(mix, weighted)
    if missing and config.on_missing == "refuse":
        raise ConfigError(
            f"mix: the corpus has no text for {', '.join(missing)}; give their sources text, take them out of the mix, or "
            "set on_missing: drop, which shares their part among the others."
        )
    present = {domain: share for domain, share in mix.items() if domain not in missing}
    if not present:
        raise ConfigError("mix: the corpus has no text for any of its domains.")
    asked = {
        domain: share.epochs * _below(domain, weighted) if share.proportion is None else share.proportion
        for domain, share in present.items()
    }
    shares = {domain: weight / sum(asked.values()) for domain, weight in asked.items()}
    parts = {
        name: (domain, shares[domain] * part)
        for domain, share in present.items()
        for name, part in _strata(domain, share, weighted).items()
    }
    allowed = {name: mix[domain].epochs * weights[name] for name, (domain, _) in parts.items()}
    possible = min(allowed[name] * available[name] / part for name, (_, part) in parts.items())
    budget = float(config.tokens) if config.tokens else possible
    short = []
    for name, (_, part) in parts.items():
        wanted = budget * part
        if wanted > allowed[name] * available[name] * (1 + 1e-9):
            short.append(
                f"{name}: {wanted:,.0f} tokens are asked for and {available[name]:,} are there, "
                f"{_epochs(wanted / available[name])} epochs, {allowed[name]:g} are allowed"
            )
    if short and config.on_shortfall == "refuse":
        raise ConfigError(
            f"tokens = {config.tokens:,}: the corpus cannot give this mix. {'; '.join(short)}. Allow more epochs, ask for "
            f"{int(possible):,} tokens or fewer, or set on_shortfall: scale."
        )
    budget = min(budget, possible)
    targets = {name: Target(domain, budget * part, available[name], allowed[name]) for name, (domain, part) in parts.items()}
    return Plan(budget, shares, targets, missing, short)


def _weight(name: str, mix: Mapping[str, DomainShare]) -> float:
    """How much a token of the stratum weighs within its domain: its band's epochs; 1 without bands, and without a score."""
    domain = name.partition("/")[0]
    bands = mix[domain].quality if domain in mix else {}
    band = bands.get(name.rpartition("/")[2])
    return band.epochs if band else 1.0


def _below(name: str, counts: Mapping[str, float]) -> float:
    """The sum over a stratum and all that lie below it."""
    return sum(value for other, value in counts.items() if other == name or other.startswith(f"{name}/"))


def _missing(mix: Mapping[str, DomainShare], weighted: Mapping[str, float]) -> list[str]:
    """The domains, and the languages of domains that ask for a ratio, without any text."""
    missing = [domain for domain in mix if not _below(domain, weighted)]
    return missing + [
        f"{domain}/{language}"
        for domain, share in mix.items()
        for language in share.languages
        if domain not in missing and not _below(f"{domain}/{language}", weighted)
    ]


def _strata(domain: str, share: DomainShare, weighted: Mapping[str, float]) -> dict[str, float]:
    """The part of the domain's tokens that each of its strata gives."""
    if not share.languages:
        return _spread(domain, 1.0, weighted)
    named = {f"{domain}/{language}": ratio for language, ratio in share.languages.items()}
    named = {name: ratio for name, ratio in named.items() if _below(name, weighted)}
    others = f"{domain}/{OTHER}"
    rest = _below(others, weighted) / _below(domain, weighted)
    parts = {name: (1 - rest) * ratio / sum(named.values()) for name, ratio in named.items()}
    return {
        name: part
        for group, whole in {**parts, **({others: rest} if rest else {})}.items()
        for name, part in _spread(group, whole, weighted).items()
    }


def _spread(group: str, part: float, weighted: Mapping[str, float]) -> dict[str, float]:
    """A group's part over the strata in it, its bands, by their weighted tokens."""
    whole = _below(group, weighted)
    own = (name for name in weighted if name == group or name.startswith(f"{group}/"))
    return {name: part * weighted[name] / whole for name in own if weighted[name]}


def language_ratios(asked: Mapping[str, float], got: Mapping[str, float]) -> dict[str, float]:
    """For each language its share of those named in what came out, over its share in what was asked: 1 where they agree."""
    whole, found = sum(asked.values()), sum(got.get(language, 0.0) for language in asked)
    return {language: got.get(language, 0.0) / found * whole / ratio if found else 0.0 for language, ratio in asked.items()}


def furthest(ratios: Iterable[float]) -> float:
    """How far the one furthest from 1 is away, as a part: 0.25 for 0.75 or 1.25."""
    return max((abs(ratio - 1) for ratio in ratios), default=0.0)


def _epochs(value: float) -> str:
    """Rounded up, so that allowing what is printed is enough."""
    return f"{math.ceil(value * 100) / 100:g}"
