"""The harness's own task files, for wording that belongs to a benchmark and is written there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml


def task_file(name: str) -> dict[str, Any]:
    """A task's YAML by its path below lm_eval/tasks; empty where the harness has no such task."""
    import lm_eval

    path = Path(lm_eval.__file__).parent / "tasks" / name
    return dict(yaml.safe_load(path.read_text(encoding="utf-8"))) if path.exists() else {}
