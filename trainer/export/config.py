"""The settings of export."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.config import ConfigError, setting


@dataclass(frozen=True)
class ExportConfig:
    """A checkpoint as a directory that transformers loads."""

    form: Literal["granite", "llama"] = setting(
        "granite",
        "granite has the report's multipliers as settings; llama, which more software reads, has them folded into the weights",
    )
    precision: Literal["fp32", "bf16"] = setting("fp32", "of the stored weights")
    checkpoint: str | None = setting(None, "which one, for example step-00000200; null is the last")
    file_gigabytes: float = setting(
        5.0, "no file of weights is larger, save for one of a single tensor; about the memory that export needs"
    )
    check_tokens: int = setting(
        64, "tokens on which the export's logits are compared with ours, one layer in memory at a time; 0 skips it"
    )

    def __post_init__(self) -> None:
        if self.file_gigabytes <= 0:
            raise ConfigError(f"file_gigabytes = {self.file_gigabytes} must be above 0.")
        if self.check_tokens < 0:
            raise ConfigError(f"check_tokens = {self.check_tokens} must not be negative; 0 skips the check.")
