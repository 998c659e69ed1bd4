"""The settings of the benchmarks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.config import ConfigError, setting

KNOWN = (
    "arc", "hellaswag", "mmlu", "truthfulqa", "winogrande", "gsm8k", "humaneval", "bbh",
    "ceval", "cmmlu", "c3", "chid", "csl",
)  # fmt: skip
"""In the order of the report's Tables 7 and 8."""


@dataclass(frozen=True)
class CodeConfig:
    """Generated programs: how many are drawn, and what one of them may take when it is run."""

    run: bool = setting(False, "run generated programs, in a sandbox; without it HumanEval is left out, and said to be")
    samples: int = setting(10, "programs drawn for each problem")
    k: int = setting(5, "pass@k: the report prints pass@5")
    temperature: float = setting(0.8, "of the draws")
    top_p: float = setting(0.95, "drawn from the likeliest tokens that have this share of the probability; 1 is all")
    seconds: float = setting(5.0, "time of one program, wall clock and processor")
    megabytes: int = setting(512, "memory of one program")

    def __post_init__(self) -> None:
        if not 1 <= self.k <= self.samples:
            raise ConfigError(f"k = {self.k} must be from 1 to samples = {self.samples}.")
        if self.temperature <= 0:
            raise ConfigError(f"temperature = {self.temperature} must be above 0, or all samples are one.")
        if not 0 < self.top_p <= 1:
            raise ConfigError(f"top_p = {self.top_p} must be above 0 and at most 1.")
        if self.seconds <= 0 or self.megabytes < 64:
            raise ConfigError(f"seconds = {self.seconds}, megabytes = {self.megabytes}: use more than 0 and at least 64.")


@dataclass(frozen=True)
class FollowConfig:
    """Scores of the checkpoints of a run while it goes on."""

    every: int = setting(1, "of the checkpoints that training leaves, every how many-th is scored")
    names: list[str] = setting(
        ["arc", "hellaswag", "mmlu", "truthfulqa", "winogrande", "ceval", "cmmlu", "c3", "chid", "csl"],
        "which benchmarks: those that score options; generated answers take many times as long",
    )
    limit: int = setting(40, "items of each, the same at every checkpoint")
    tokens: int | None = setting(4000, "held-out tokens of each domain for BPB; null is all")
    wait: float = setting(10.0, "seconds between looks for a new checkpoint")
    device: str = setting(
        "cpu", "where checkpoints are scored beside training: cpu, or the number of a GPU that it leaves free"
    )

    def __post_init__(self) -> None:
        if self.every < 1 or self.limit < 1 or self.wait <= 0:
            raise ConfigError(f"every = {self.every}, limit = {self.limit}, wait = {self.wait}: must be above 0.")
        if self.device != "cpu" and not self.device.isdigit():
            raise ConfigError(f"device = {self.device}: use cpu, or the number of a GPU that training leaves free.")
        _known("names", self.names)


@dataclass(frozen=True)
class BenchmarkConfig:
    """The report's benchmarks over a model, from local files."""

    folder: str = setting("", "where the benchmarks' files are: a folder for each, by name")
    names: list[str] = setting(list(KNOWN), "which benchmarks, of these")
    limit: int | None = setting(
        100, "items of each benchmark at most, drawn by the seed: a small cut, whose standard error is shown; null is all"
    )
    limits: dict[str, int | None] = setting({}, "the same for single benchmarks, as {gsm8k: 20}")
    shots: dict[str, int] = setting({}, "examples before a question, other than the report's, as {arc: 5}")
    start: int | None = setting(
        None,
        "id in front of every text; null is the end of a document for the run's export, and for --export DIR what that "
        "model begins generation with, its bos_token or its eos_token",
    )
    batch: int = setting(16, "sequences of one forward pass")
    code: CodeConfig = setting(CodeConfig)
    follow: FollowConfig = setting(FollowConfig)
    precision: Literal["fp32", "bf16"] = setting("fp32", "arithmetic of the network")
    device: Literal["auto", "cpu", "cuda"] = setting("auto", "where it runs; auto takes CUDA where there is a device")

    def __post_init__(self) -> None:
        _known("names", self.names)
        _known("limits", self.limits)
        _known("shots", self.shots)
        if self.batch < 1:
            raise ConfigError(f"batch = {self.batch} is too small; use 1 or more.")
        for name, limit in [("limit", self.limit), *((f"limits.{name}", limit) for name, limit in self.limits.items())]:
            if limit is not None and limit < 1:
                raise ConfigError(f"{name} = {limit} is too small; use 1 or more, or null for all.")
        for name, count in self.shots.items():
            if count < 0:
                raise ConfigError(f"shots.{name} = {count} must not be negative.")

    def limit_of(self, name: str) -> int | None:
        return self.limits.get(name, self.limit)


def _known(key: str, names: object) -> None:
    for name in names:  # type: ignore[attr-defined]
        if name not in KNOWN:
            raise ConfigError(f"{key}: '{name}' is no benchmark that we have; there are {', '.join(KNOWN)}.")
