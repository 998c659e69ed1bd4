"""The settings of evaluation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.config import ConfigError, setting


@dataclass(frozen=True)
class ColumnConfig:
    """Held-out text that stands in one column of a table."""

    domains: list[str] = setting(why="the domains whose text is meant")
    languages: list[str] = setting([], "only documents in these languages; empty: in any")
    except_languages: list[str] = setting([], "not documents in these languages")


@dataclass(frozen=True)
class TableConfig:
    """A table as the report's 5 or 6."""

    columns: dict[str, ColumnConfig] = setting(why="the columns by name, in order")
    weights: dict[str, dict[str, float]] = setting({}, "weighted sums by name: a weight for each column, of any scale")

    def __post_init__(self) -> None:
        for name, weights in self.weights.items():
            for column, weight in weights.items():
                if column not in self.columns:
                    raise ConfigError(f"weights.{name}.{column}: no such column; there are {', '.join(self.columns)}.")
                if weight < 0:
                    raise ConfigError(f"weights.{name}.{column} = {weight} must not be negative.")


@dataclass(frozen=True)
class BesideConfig:
    """Another model on the same text, with its own tokenizer."""

    path: str = setting(why="a Hugging Face directory")
    context: int | None = setting(None, "tokens of its windows; null is as many as ours have")
    start: int | None = setting(
        None, "id in front of a first token; null is what it begins generation with, its bos_token or its eos_token"
    )


@dataclass(frozen=True)
class EvaluateConfig:
    """Validation loss and bits per byte of a checkpoint, by domain and language."""

    batch: int = setting(8, "windows of one forward pass")
    tokens: int | None = setting(
        None, "held-out tokens of each domain to use at most, in whole documents that fit, at least one; null is all"
    )
    checkpoint: str | None = setting(None, "which one, for example step-00000200; null is the last")
    text: Literal["packed", "document"] = setting(
        "packed", "packed: documents one after another, as in training; document: each seen by itself"
    )
    stride: int | None = setting(None, "tokens that a window predicts: null is all of them (blocked), fewer make windows slide")
    ends: bool = setting(True, "the end of a document is predicted too; not to be asked of models beside ours")
    beside: dict[str, BesideConfig] = setting({}, "other models to measure on the same text, by the name to show")
    precision: Literal["fp32", "bf16"] = setting("fp32", "arithmetic of the network")
    device: Literal["auto", "cpu", "cuda"] = setting("auto", "where it runs; auto takes CUDA where there is a device")
    tables: dict[str, TableConfig] = setting({}, "tables of columns and weighted sums; configs/bpb.yaml has the report's")

    def __post_init__(self) -> None:
        if self.batch < 1:
            raise ConfigError(f"batch = {self.batch} is too small; use 1 or more.")
        if self.tokens is not None and self.tokens < 1:
            raise ConfigError(f"tokens = {self.tokens} is too small; use 1 or more, or null for all.")
        if self.stride is not None and self.stride < 1:
            raise ConfigError(f"stride = {self.stride} is too small; use 1 or more, or null for blocked windows.")
        if self.beside and self.ends:
            raise ConfigError(
                "ends = true asks models beside ours for a token that they were not trained to give; use ends = false."
            )
