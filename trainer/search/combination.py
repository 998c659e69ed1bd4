"""The seven hyper-parameters of the report's search as one value, read from a config and laid on another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

from core.config import ConfigError
from trainer.config import TrainConfig


@dataclass(frozen=True)
class Combination:
    """Values at the base width (m = 1); `min_lr` is the rate of vector-like parameters at the schedule's end, and that of
    matrix-like ones is the same share of their own."""

    lr: float
    lr_matrix: float
    min_lr: float
    init_std: float
    init_std_matrix: float
    input_mult: float
    output_mult: float

    @classmethod
    def of(cls, config: TrainConfig) -> Combination:
        """The values that a config has."""
        model, optimizer = config.model, config.pretrain.optimizer
        return cls(
            lr=optimizer.lr,
            lr_matrix=optimizer.lr_matrix,
            min_lr=optimizer.lr * config.pretrain.schedule.minimum,
            init_std=model.init_std,
            init_std_matrix=model.init_std_matrix,
            input_mult=model.input_mult,
            output_mult=model.output_mult,
        )

    def but(self, values: Mapping[str, float]) -> Combination:
        """The same with some values changed; where a learning rate is given without its minimum, that keeps its share."""
        changed = dict(values)
        if "lr" in changed and "min_lr" not in changed:
            changed["min_lr"] = self.min_lr / self.lr * changed["lr"]
        made = replace(self, **changed)
        if made.min_lr > made.lr:
            raise ConfigError(f"min_lr = {made.min_lr:g} is above lr = {made.lr:g}; the schedule falls to it.")
        return made

    def laid_on(self, config: TrainConfig) -> TrainConfig:
        """A config with these values."""
        schedule = replace(config.pretrain.schedule, minimum=float(f"{self.min_lr / self.lr:.12g}"))
        optimizer = replace(config.pretrain.optimizer, lr=self.lr, lr_matrix=self.lr_matrix)
        model = replace(
            config.model,
            init_std=self.init_std,
            init_std_matrix=self.init_std_matrix,
            input_mult=self.input_mult,
            output_mult=self.output_mult,
        )
        return replace(config, model=model, pretrain=replace(config.pretrain, optimizer=optimizer, schedule=schedule))

    def values(self) -> dict[str, float]:
        return asdict(self)
