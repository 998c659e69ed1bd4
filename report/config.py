"""The report's settings."""

from __future__ import annotations

from dataclasses import dataclass

from core.config import ConfigError, setting


@dataclass(frozen=True)
class ReportSettings:
    """How much of the removed text the page shows."""

    examples: int = setting(3, "removed documents shown for each rule of each stage, at most; 0 shows none (private corpora)")
    snippet: int = setting(400, "characters of a removed document's text that are shown, at most")

    def __post_init__(self) -> None:
        for name in ("examples", "snippet"):
            if getattr(self, name) < 0:
                raise ConfigError(f"{name} = {getattr(self, name)} must not be negative; 0 shows none.")


@dataclass(frozen=True)
class ReportConfig:
    """The report's part of a run's YAML."""

    run: str = setting("", "the run's directory, a path or a URI")
    seed: int = setting(1, "the run's seed; the report draws nothing")
    report: ReportSettings = setting(ReportSettings, "how much of the removed text the page shows")
