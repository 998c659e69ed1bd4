"""What tests of the line share: its typed config, a run as a user starts it, and what a run's output comes down to."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from core import storage
from core.config import load
from core.line import STAGES, foreign
from core.run import Run
from datapipe.config import DataConfig
from tests import made_corpus

ROOT = Path(__file__).resolve().parents[1]
_SUBMIT = """
import sys
from core.config import load
from core.line import foreign
from datapipe.config import DataConfig
from datapipe.launch import submit
config = load(sys.argv[1], sys.argv[3:], DataConfig, foreign("datapipe"))
sys.exit(submit("extract", config.spark, ["--config", sys.argv[1], "--through", sys.argv[2], *sys.argv[3:]]))
"""


def submit(path: Path, corpus: Path | str, run: Run, through: str, *overrides: str) -> subprocess.Popen[str]:
    """Starts `spark-submit jobs/extract.py --through ...` in a process group of its own, as the line does."""
    command = [sys.executable, "-c", _SUBMIT, str(path), through, f"run={run.uri}", f"corpus={corpus}", *overrides]
    return subprocess.Popen(command, cwd=ROOT, start_new_session=True, text=True, stderr=subprocess.PIPE)


def data_config(path: Path, run: Run, corpus: Path, *overrides: str) -> DataConfig:
    return load(path, [f"run={run.uri}", f"corpus={corpus}", *overrides], DataConfig, foreign("datapipe"))


def digests(run: Run) -> dict[str, Any]:
    """For each stage that is done: the digest of its documents, and the checksums of its token shards or its tokenizer."""
    found: dict[str, Any] = {}
    for stage in STAGES:
        uri = storage.join(run.uri, stage.name, "manifest.json")
        if storage.exists(uri):
            manifest = storage.read_json(uri)
            sums = [shard["sha256"] for shard in manifest.get("shards", [])] if stage.name == "encode" else None
            found[stage.name] = [manifest.get("digest"), sums, manifest.get("sha256")]
    return found


class Line:
    """A run of the line on the made corpus, by the command that the Makefile gives."""

    def __init__(self, folder: Path) -> None:
        self.run = folder / "run"
        self.corpus = made_corpus.write(folder / "corpus")
        self.config = made_corpus.write_config(folder / "line.yaml")

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        given = ["--config", str(self.config), f"run={self.run}", f"corpus={self.corpus}"]
        command = [sys.executable, str(ROOT / "jobs" / "line.py"), *given, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)

    def read(self, *parts: str) -> Any:
        return json.loads(self.run.joinpath(*parts).read_text(encoding="utf-8"))
