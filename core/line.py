"""The line that the data travels: its stages in order, what each reads, and when one is up to date.

A stage is one module, one entry in `jobs/`, one config section, one make target and one folder in the run, all of one
name. Whether it is up to date is decided from files alone, before a JVM or a process group starts.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from core import __version__
from core.storage import FileInfo

Runner = Literal["python", "spark", "deepspeed"]


@dataclass(frozen=True)
class Stage:
    """One stage: how it is run, the stages whose folders it reads (the one with its documents first), and the config
    sections besides its own on which its output depends."""

    name: str
    runner: Runner
    reads: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()


STAGES = (
    Stage("crawl", "python"),
    Stage("extract", "spark", ("crawl",)),
    Stage("clean", "spark", ("extract",)),
    Stage("dedup_paragraphs", "spark", ("clean",)),
    Stage("train_quality", "spark", ("dedup_paragraphs",), ("seed",)),
    Stage("filter_quality", "spark", ("dedup_paragraphs", "train_quality")),
    Stage("dedup_documents", "spark", ("filter_quality",)),
    Stage("decontaminate", "spark", ("dedup_documents",)),
    Stage("resample", "spark", ("decontaminate",), ("seed",)),
    Stage("train_tokenizer", "spark", ("resample",), ("seed",)),
    Stage("encode", "spark", ("resample", "train_tokenizer"), ("seed",)),
    Stage("pretrain", "deepspeed", ("encode",), ("seed", "model")),
    Stage("evaluate", "python", ("pretrain", "encode"), ("model",)),
    Stage("export", "python", ("pretrain", "train_tokenizer"), ("model",)),
)
REPORT = "report"  # reads whatever is there and is always made anew, so it is not in the table above

# The sections of a run's YAML, by the package that types them. `run`, `corpus` and `seed` stand at the top.
SECTIONS: dict[str, tuple[str, ...]] = {
    "datapipe": tuple(s.name for s in STAGES if s.runner == "spark" or s.name == "crawl") + ("spark", "corpus"),
    "trainer": ("model", "parallel", "pretrain", "evaluate", "export", "benchmark")
    + ("plan", "search", "transfer", "predict", "grow"),
    "report": ("report",),
}
SHARED = ("run", "seed")


def foreign(package: str) -> set[str]:
    """The section names that other packages type: allowed in the YAML, not looked at by `package`."""
    return {name for other, names in SECTIONS.items() if other != package for name in names}


def stage(name: str) -> Stage:
    for entry in STAGES:
        if entry.name == name:
            return entry
    raise KeyError(f"{name}: no such stage; the line has {', '.join(entry.name for entry in STAGES)}.")


def active(corpus: str | None) -> list[Stage]:
    """The stages of a run: the demo's own crawl falls away where a corpus is given."""
    return [_without_crawl(entry) if corpus else entry for entry in STAGES if not (corpus and entry.name == "crawl")]


def _without_crawl(entry: Stage) -> Stage:
    reads = tuple(name for name in entry.reads if name != "crawl")
    return Stage(entry.name, entry.runner, reads, entry.sections)


def fingerprint(entry: Stage, settings: Mapping[str, Any], upstream: Mapping[str, str], inputs: Sequence[FileInfo] = ()) -> str:
    """What a stage's output depends on, as a hash: its settings, the fingerprints of what it reads, files from outside.

    `settings` maps section names to plain values and must hold the stage's own section and those it names.
    """
    wanted = {name: settings[name] for name in (entry.name, *entry.sections)}
    basis = {
        "version": __version__,
        "stage": entry.name,
        "settings": wanted,
        "upstream": {name: upstream[name] for name in entry.reads},
        "inputs": [[info.uri, info.size, info.version] for info in inputs],
    }
    return hashlib.sha256(json.dumps(basis, sort_keys=True, default=str).encode()).hexdigest()[:32]


def outside(section: Any, config: Any) -> list[FileInfo]:
    """The files from outside the run that a stage reads: a section that names any has a method `files(config)`."""
    files = getattr(section, "files", None)
    return list(files(config)) if files else []
