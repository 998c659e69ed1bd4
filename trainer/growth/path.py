"""What a path of growth takes, stage by stage, and what it saves against training its last model from scratch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from core.config import ConfigError, load
from core.line import foreign
from trainer import plan
from trainer.config import TrainConfig
from trainer.config.grow import GrowthStage
from trainer.growth import shape

_GIGA = 1e9


@dataclass(frozen=True)
class Leg:
    """One stage: its name and config, with the tokens of the stage as the plan's budget."""

    name: str
    config: TrainConfig

    @property
    def tokens(self) -> float:
        return self.config.plan.tokens

    @property
    def flops(self) -> float:
        """FLOPs of the stage by 6 N."""
        return self.tokens * plan.flops_per_token(self.config.model)


def legs(stages: Sequence[GrowthStage], vocab: int | None = None) -> list[Leg]:
    """The stages with their configs read; `vocab` is for those that leave it to their shards. Raises ConfigError where one
    could not grow into the next."""
    found = []
    for stage in stages:
        config = load(stage.config, [], TrainConfig, foreign("trainer"))
        if config.model.vocab is None:
            config = replace(config, model=replace(config.model, vocab=vocab))
        if config.model.vocab is None:
            raise ConfigError(f"{stage.config}: model.vocab is not set, and a plan needs it; add model.vocab=80000.")
        found.append(Leg(Path(stage.config).stem, replace(config, plan=replace(config.plan, tokens=stage.tokens))))
    for before, after in zip(found, found[1:], strict=False):
        try:
            shape.check(before.config.model, after.config.model)
        except ConfigError as error:
            raise ConfigError(f"grow.path: {before.name} cannot grow into {after.name}: {error}") from None
    return found


def from_scratch(path: Sequence[Leg]) -> Leg:
    """The last model on all tokens of the path, in its own layout."""
    last, tokens = path[-1], sum(leg.tokens for leg in path)
    return Leg(f"{last.name} from scratch", replace(last.config, plan=replace(last.config.plan, tokens=tokens)))


def saving(path: Sequence[Leg]) -> float:
    """Share of the arithmetic that growth saves against training the last model on as many tokens."""
    return 1.0 - sum(leg.flops for leg in path) / from_scratch(path).flops


def lines(path: Sequence[Leg]) -> list[str]:
    """The plan of a path for a person: a row a stage, the sum, and the last model from scratch."""
    rows = [("stage", "parameters", "devices", "GB a device", "tokens", "FLOPs", "days")]
    scratch = from_scratch(path)
    for leg in (*path, scratch):
        config = leg.config
        needs, memory = plan.memory(config).total / _GIGA, config.plan.gpu_memory
        rows.append(
            (
                leg.name,
                f"{plan.parameters(config.model):,}",
                f"{config.parallel.world:,}",
                f"{needs:.1f} of {memory:g}" + (" (too much)" if needs > memory else ""),
                f"{leg.tokens:.4g}",
                f"{leg.flops:.3g}",
                f"{plan.days(config):.1f}",
            )
        )
    days = sum(plan.days(leg.config) for leg in path)
    total = ("all stages", "", "", "", f"{scratch.tokens:.4g}", f"{sum(leg.flops for leg in path):.3g}", f"{days:.1f}")
    rows.insert(len(rows) - 1, total)
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    table = [
        "  ".join([row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))]) for row in rows
    ]
    alone = plan.days(scratch.config)
    return [
        *table,
        f"growth saves {saving(path):.1%} of the arithmetic (by 6N) and {1 - days / alone:.1%} of the days that "
        f"{scratch.name} would take on {scratch.tokens:.4g} tokens; whether it reaches the same loss is for training to show.",
    ]
