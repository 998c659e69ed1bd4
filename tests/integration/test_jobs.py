"""Every entry in jobs/ explains itself, and refuses a missing config in one line."""

from __future__ import annotations

import ast
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from core.line import REPORT, STAGES

ROOT = Path(__file__).resolve().parents[2]
JOBS = sorted(path for path in (ROOT / "jobs").glob("*.py") if path.stem != "provide_java")


def run(path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(path), *arguments], capture_output=True, text=True, check=False, timeout=120)


def test_every_stage_has_a_job_a_module_and_a_make_target_of_its_name() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for name in [*(entry.name for entry in STAGES), REPORT]:
        assert (ROOT / "jobs" / f"{name}.py").exists()
        assert name in makefile.split("STAGES :=")[1].split("\n\n")[0].split()
    for entry in STAGES:
        if entry.runner == "spark":
            assert (ROOT / "datapipe" / "stages" / f"{entry.name}.py").exists()


def test_help_of_every_job_begins_with_what_it_is_for() -> None:
    with ThreadPoolExecutor(2) as pool:
        for path, ended in zip(JOBS, pool.map(lambda path: run(path, "--help"), JOBS), strict=True):
            purpose = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").split("\n")[0]
            assert ended.returncode == 0 and purpose and purpose[:60] in ended.stdout, (path.name, ended.stderr[-500:])


def test_a_missing_config_is_named_without_a_traceback() -> None:
    jobs = [ROOT / "jobs" / f"{name}.py" for name in ("clean", "pretrain", "report", "line")]
    with ThreadPoolExecutor(2) as pool:
        for ended in pool.map(lambda path: run(path, "--config", "nowhere.yaml", "run=x"), jobs):
            assert ended.returncode == 2
            assert ended.stderr.strip().splitlines()[-1].startswith("error: nowhere.yaml: no such config file")
