"""What near-duplicate removal depends on besides its settings: the earlier runs that it is held against."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core import storage
from core.config import ConfigError, plain
from core.line import fingerprint, outside, stage
from core.run import Run
from datapipe.config import DataConfig, DedupDocumentsConfig


def wanted(section: DedupDocumentsConfig) -> str:
    """The fingerprint of the stage with these settings."""
    config = DataConfig(dedup_documents=section)
    return fingerprint(stage("dedup_documents"), plain(config), {"filter_quality": "same"}, outside(section, config))


def test_a_run_is_out_of_date_once_an_earlier_one_that_it_was_held_against_is_made_anew(tmp_path: Path) -> None:
    runs = [Run(str(tmp_path / name)) for name in ("2024", "2025")]
    section = DedupDocumentsConfig(against=[run.uri for run in runs])
    seen = set()
    for turn, run in enumerate([*runs, *runs]):
        earlier = run.stage("dedup_documents")
        for name in ("index.json", "manifest.json"):
            storage.write_json(earlier.path(name), {"turn": turn})
            os.utime(earlier.path(name), ns=(turn, turn))  # a file system may keep whole seconds only
        if turn:
            assert wanted(section) == wanted(section)
            seen.add(wanted(section))
    assert len(seen) == 3


def test_an_earlier_run_without_its_manifest_is_named_before_anything_starts(tmp_path: Path) -> None:
    storage.write_json(str(tmp_path / "dedup_documents" / "index.json"), {})
    with pytest.raises(ConfigError, match=r"against: .* has no .*manifest\.json .*a run that has finished this stage"):
        wanted(DedupDocumentsConfig(against=[str(tmp_path)]))
