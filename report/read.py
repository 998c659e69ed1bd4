"""A run's files as facts for the page: what is missing is None, never invented.

Reads only what the stages wrote down (manifests, the training log, the resolved config), through URIs, so that the page of
a run on a cluster is made from anywhere that sees its storage.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from core import storage
from core.config import ConfigError
from core.line import REPORT, STAGES
from core.run import Run
from report.evolution import read_evolution, read_scores
from report.scaling import Scaling, read_scaling


@dataclass(frozen=True)
class Count:
    """Documents and UTF-8 bytes that came in, stayed and went; bytes are None where the stage did not count them."""

    arrived: int
    kept: int
    removed: int
    arrived_bytes: int | None = None
    kept_bytes: int | None = None


@dataclass(frozen=True)
class StageFacts:
    """One stage of the line as its manifest tells it; `count` is None for stages that judge no documents.

    by_domain: counts of each domain; by_rule: documents that each rule removed, by domain.
    """

    name: str
    done: bool
    seconds: float | None = None
    at: str | None = None
    count: Count | None = None
    by_domain: dict[str, Count] = field(default_factory=dict)
    by_rule: dict[str, dict[str, int]] = field(default_factory=dict)
    manifest: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """One optimizer step of the log; a value that the log lacks is None."""

    step: int
    tokens: float | None
    loss: float | None
    grad_norm: float | None
    tokens_per_second: float | None
    rates: Mapping[str, float]


@dataclass(frozen=True)
class Validation:
    """The losses of one domain over the run: (step, nats per token, bits per byte)."""

    domain: str
    rows: list[tuple[int, float, float | None]]


@dataclass(frozen=True)
class RunFacts:
    """Everything that the page says, before it is laid out."""

    uri: str
    name: str
    config: Mapping[str, Any]
    record: Mapping[str, Any]
    stages: list[StageFacts]
    steps: list[Step]
    validations: list[Validation]
    events: list[tuple[int, str]]
    new_mixes: list[int]
    """The steps after which training went on with another mix of data."""
    training: str | None = None
    """What tells this training from those that the folder held before."""
    benchmarks: Mapping[str, Any] = field(default_factory=dict)
    """The scores of the run's export."""
    other_scores: str = ""
    """Of what the scores are that are there, where they are not of the export."""
    evolution: list[Mapping[str, Any]] = field(default_factory=list)
    scaling: Scaling = field(default_factory=Scaling)

    def stage(self, name: str) -> StageFacts:
        return next(entry for entry in self.stages if entry.name == name)

    @property
    def judging(self) -> list[StageFacts]:
        """The stages that judge documents and are done, in the line's order."""
        return [entry for entry in self.stages if entry.count is not None]

    @property
    def domains(self) -> list[str]:
        """Every domain that the run met, in the order of the configured mix, others after it."""
        mix = [str(name) for name in self.stage("encode").manifest.get("mix", {})]
        met = {domain: None for entry in self.judging for domain in entry.by_domain}
        return [name for name in mix if name in met or not met] + [name for name in met if name not in mix]


def read_run(uri: str) -> RunFacts:
    """Gathers the facts of a run. Raises ConfigError where there is no run."""
    run = Run(uri)
    config_uri, record_uri = storage.join(run.uri, "config.yaml"), storage.join(run.uri, "run.json")
    config = yaml.safe_load(storage.read_text(config_uri)) or {} if storage.exists(config_uri) else {}
    record = storage.read_json(record_uri) if storage.exists(record_uri) else {}
    stages = [_stage(run, entry.name) for entry in STAGES if entry.name != REPORT]
    if not record and not any(entry.done for entry in stages):
        raise ConfigError(f"run = {uri}: there is no run here (no run.json and no finished stage); give a run's directory.")
    log = _log(storage.join(run.uri, "pretrain", "log.jsonl"))
    name = run.uri.rstrip("/").rpartition("/")[2]
    scores, evolution = read_scores(run), read_evolution(run)
    return RunFacts(run.uri, name, config, record, stages, *log, run.training(), *scores, evolution, read_scaling(run))


def _stage(run: Run, name: str) -> StageFacts:
    manifest = run.stage(name).manifest()
    if manifest is None:
        return StageFacts(name, done=False)
    judged = all(key in manifest for key in ("in", "kept", "removed"))
    domains = {domain: _count(row) for domain, row in manifest.get("by_domain", {}).items()} if judged else {}
    return StageFacts(
        name=name,
        done=True,
        seconds=manifest.get("seconds"),
        at=manifest.get("at"),
        count=_count(manifest) if judged else None,
        by_domain=domains,
        by_rule=dict(manifest.get("by_rule", {})),
        manifest=manifest,
    )


def _count(row: Mapping[str, Any]) -> Count:
    return Count(row["in"], row["kept"], row["removed"], row.get("bytes_in"), row.get("bytes_kept"))


def _log(uri: str) -> tuple[list[Step], list[Validation], list[tuple[int, str]], list[int]]:
    """The training log: steps, validation losses by domain, what the monitor noticed, and where the mix changed.

    A step written twice (a resumed run goes back to its checkpoint) counts as last written.
    A last line cut by a kill is passed over; the run that goes on writes that step again.
    """
    if not storage.exists(uri):
        return [], [], [], []
    steps: dict[int, Step] = {}
    losses: dict[str, dict[int, tuple[int, float, float | None]]] = {}
    events: dict[tuple[int, str], None] = {}
    new_mixes: set[int] = set()
    with storage.open_uri(uri, "r") as handle:
        for line in handle:
            try:
                row = json.loads(line)
            except json.JSONDecodeError:
                continue
            step = int(row["step"])
            for domain, scores in row.get("validation", {}).items():
                losses.setdefault(domain, {})[step] = (step, float(scores["loss"]), scores.get("bpb"))
            if "message" in row:
                events[step, str(row["message"])] = None
            if row.get("event") == "new_mix":
                new_mixes.add(step)
            if "loss" in row:
                steps[step] = Step(
                    step,
                    row.get("tokens"),
                    row["loss"],
                    row.get("grad_norm"),
                    row.get("tokens_per_second"),
                    _rates(row.get("lr")),
                )
    validations = [Validation(domain, [rows[step] for step in sorted(rows)]) for domain, rows in losses.items()]
    return [steps[step] for step in sorted(steps)], validations, list(events), sorted(new_mixes)


def _rates(value: Any) -> dict[str, float]:
    return {str(name): float(rate) for name, rate in value.items()} if isinstance(value, Mapping) else {}
