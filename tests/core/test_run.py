"""A run's directory: what is done, what is under way, what must be redone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core import storage
from core.config import ConfigError
from core.run import Run


@pytest.mark.parametrize("run", ["{tmp_path}/run", "memory://cleared/run"])
def test_work_begun_with_the_same_fingerprint_goes_on_and_other_work_is_cleared(run: str, tmp_path: Path) -> None:
    directory = Run(run.format(tmp_path=tmp_path)).stage("clean")
    directory.begin("one")
    storage.write_text(directory.path("shards", "00000.parquet"), "x")
    storage.write_text(directory.path("parts", "p"), "x")
    directory.begin("one")
    assert storage.exists(directory.path("shards", "00000.parquet"))
    directory.begin("two", keep=("parts",))
    assert not storage.listing(directory.path("shards"))
    assert storage.exists(directory.path("parts", "p"))


def test_a_stage_is_done_only_with_its_manifest_and_fingerprint(tmp_path: Path) -> None:
    directory = Run(str(tmp_path / "run")).stage("clean")
    with pytest.raises(ConfigError, match="make clean"):
        directory.require()
    directory.begin("one")
    directory.commit("one", {"in": 1}, 0.5)
    assert directory.is_done("one") and not directory.is_done("two")
    directory.begin("one")
    assert directory.manifest() is None


def test_a_dear_folder_is_set_aside_not_removed(tmp_path: Path) -> None:
    directory = Run(str(tmp_path / "run")).stage("pretrain")
    directory.begin("0123456789")
    storage.write_text(directory.path("checkpoint"), "x")
    directory.begin("other", set_aside=True)
    assert (tmp_path / "run" / "pretrain-01234567" / "checkpoint").exists()
    assert not storage.exists(directory.path("checkpoint"))


def test_a_run_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be written to"):
        Run(str(tmp_path / "file" / "run")).prepare()
    with pytest.raises(ConfigError, match="which Spark reads as a pattern"):
        Run(str(tmp_path / "run[1]")).prepare()
    with pytest.raises(ConfigError, match="no run directory"):
        Run("")


def test_launchers_of_many_nodes_make_a_run_ready_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, lexists = Run(str(tmp_path / "run")), os.path.lexists

    def and_then_another_node_does_the_same(path: str) -> bool:
        there = lexists(path)
        monkeypatch.setattr(os.path, "lexists", lexists)
        run.prepare()
        return there

    monkeypatch.setattr(os.path, "lexists", and_then_another_node_does_the_same)
    run.prepare()
    assert os.path.lexists is lexists and not any((tmp_path / "run").iterdir())


def test_what_is_needed_to_repeat_a_run_is_written_down_by_each_package_in_turn(tmp_path: Path) -> None:
    run = Run(str(tmp_path / "run"))
    run.record({"clean": {"a": 1}})
    run.record({"model": {"layers": 2}})
    assert "layers: 2" in storage.read_text(storage.join(run.uri, "config.yaml"))
    assert "a: 1" in storage.read_text(storage.join(run.uri, "config.yaml"))
    facts = storage.read_json(storage.join(run.uri, "run.json"))
    assert len(facts["commands"]) == 2 and facts["packages"]["pyarrow"]
