"""The data line on a cut of the real corpus (CORPUS=dir): conservation, invariance, resume after a kill."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.run import Run
from tests.line import ROOT, digests, submit

pytestmark = pytest.mark.corpus
FILES_A_FOLDER = 5
LARGEST = 1_500_000
STAGES = ("extract", "clean", "dedup_paragraphs", "filter_quality", "dedup_documents", "decontaminate", "resample")
DOMAINS = 11


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few files of every folder of the corpus under their own names, so that the corpus' own config reads them."""
    whole = Path(os.environ["CORPUS"]).resolve()
    folder = tmp_path_factory.mktemp("cut")
    for root, _, names in os.walk(whole):
        below = Path(root).relative_to(whole)
        if below.parts[:1] not in (("warc",), ("domains",), ("benchmarks",)):
            continue
        sizes = {name: (Path(root) / name).stat().st_size for name in sorted(names)}
        few = [name for name, size in sizes.items() if size <= LARGEST] or sorted(sizes, key=sizes.__getitem__)[:1]
        everything = "awkward" in below.parts or "benchmarks" in below.parts
        for name in few if everything else few[:FILES_A_FOLDER]:
            (folder / below).mkdir(parents=True, exist_ok=True)
            (folder / below / name).symlink_to(Path(root) / name)
    return folder


Play = Callable[..., Run]


@pytest.fixture(scope="module")
def play(cut: Path, tmp_path_factory: pytest.TempPathFactory) -> Play:
    """Runs the data line on the cut with some settings, once for each name."""
    made: dict[str, Run] = {}

    def run(name: str, *settings: str) -> Run:
        if name not in made:
            made[name] = Run(str(tmp_path_factory.mktemp("line") / "run"))
            process = submit(ROOT / "configs" / "demo-corpus.yaml", cut, made[name], "resample", *settings)
            said = process.communicate(timeout=900)[1]
            assert process.returncode == 0, said[-4000:]
        return made[name]

    return run


def manifest(run: Run, stage: str) -> dict[str, Any]:
    return dict(json.loads((Path(run.uri) / stage / "manifest.json").read_text(encoding="utf-8")))


def test_kept_and_removed_add_up_at_every_stage_in_every_domain(play: Play) -> None:
    before = None
    for stage in STAGES:
        facts = manifest(play("two", "spark.partitions=2"), stage)
        for domain, counts in facts["by_domain"].items():
            assert counts["kept"] + counts["removed"] == counts["in"], (stage, domain)
        assert before is None or facts["in"] == before
        before = facts["kept"]
        assert sum(sum(rules.values()) for rules in facts["by_rule"].values()) == facts["removed"]


def test_every_domain_reaches_the_end(play: Play) -> None:
    kept = {
        name: counts["kept"] for name, counts in manifest(play("two", "spark.partitions=2"), "resample")["by_domain"].items()
    }
    assert len(kept) == DOMAINS and all(kept.values()), kept


def test_every_awkward_file_ends_in_documents_or_on_the_ledger(play: Play, cut: Path) -> None:
    inputs = manifest(play("two", "spark.partitions=2"), "extract")["inputs"]
    awkward = {path.name for path in (cut / "warc" / "awkward").iterdir() if path.name != "notes.jsonl"}
    assert awkward <= {Path(name).name for name in inputs}


@pytest.mark.parametrize(
    "settings",
    [("spark.partitions=1",), ("spark.partitions=7", "spark.adaptive=false"), ("spark.partitions=7", "spark.master=local[1]")],
    ids=["one", "seven-plain", "seven-one-core"],
)
def test_the_cut_of_the_work_changes_nothing(play: Play, settings: tuple[str, ...]) -> None:
    assert digests(play("-".join(settings), *settings)) == digests(play("two", "spark.partitions=2"))


def test_a_killed_driver_leaves_a_run_that_ends_the_same(play: Play, cut: Path, tmp_path: Path) -> None:
    undisturbed, killed = play("two", "spark.partitions=2"), Run(str(tmp_path / "run"))
    config = ROOT / "configs" / "demo-corpus.yaml"
    for marker in ("extract/parts", "clean/shards", "dedup_documents/began.json"):
        victim = submit(config, cut, killed, "resample")
        deadline = time.monotonic() + 400
        while not (Path(killed.uri) / marker).exists() and victim.poll() is None and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(1.0)
        os.killpg(victim.pid, signal.SIGKILL)
        victim.wait()
    last = submit(config, cut, killed, "resample")
    said = last.communicate(timeout=900)[1]
    assert last.returncode == 0, said[-4000:]
    assert digests(killed) == digests(undisturbed)
