"""What tests of the line share: its typed config, and what a run's output comes down to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from core.config import load
from core.line import STAGES, foreign
from core.run import Run
from datapipe.config import DataConfig


def data_config(path: Path, run: Run, corpus: Path, *overrides: str) -> DataConfig:
    return load(path, [f"run={run.uri}", f"corpus={corpus}", *overrides], DataConfig, foreign("datapipe"))


def digests(run: Run) -> dict[str, Any]:
    """For each stage that is done: the digest of its documents, and the checksums of its token shards or its tokenizer."""
    found: dict[str, Any] = {}
    for stage in STAGES:
        path = Path(run.uri) / stage.name / "manifest.json"
        if path.exists():
            manifest = json.loads(path.read_text(encoding="utf-8"))
            sums = [shard["sha256"] for shard in manifest.get("shards", [])] if stage.name == "encode" else None
            found[stage.name] = [manifest.get("digest"), sums, manifest.get("sha256")]
    return found
