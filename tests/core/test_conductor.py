"""The conductor: what is started, in which order, and what is left alone."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from core.conductor import Conductor
from core.config import ConfigError
from core.line import REPORT, STAGES, active, fingerprint, stage
from core.run import Run


class Stage:
    """Plays all runners: writes the manifests that the real ones would, and notes what was asked of it."""

    def __init__(self, run: Run, settings: dict[str, Any], fails_at: str = "") -> None:
        self.run, self.settings, self.fails_at, self.asked = run, settings, fails_at, list[tuple[str, str]]()

    def __call__(self, first: str, last: str) -> int:
        self.asked.append((first, last))
        names = [entry.name for entry in active(self.settings.get("corpus"))]
        if first == REPORT:
            return 0
        for name in names[names.index(first) : names.index(last) + 1]:
            if name == self.fails_at:
                return 3
            entry = next(e for e in active(self.settings.get("corpus")) if e.name == name)
            upstream = {other: str(self.run.stage(other).require()["fingerprint"]) for other in entry.reads}
            directory = self.run.stage(name)
            wanted = fingerprint(entry, self.settings, upstream)
            if not directory.is_done(wanted):
                directory.begin(wanted)
                directory.commit(wanted, {}, 0.0)
        return 0


def setting(corpus: str = "") -> dict[str, Any]:
    return {entry.name: {} for entry in STAGES} | {"seed": 1, "model": {}, "corpus": corpus}


def conductor(tmp_path: Path, settings: dict[str, Any], fails_at: str = "") -> tuple[Conductor, Stage]:
    run = Run(str(tmp_path / "run"))
    player = Stage(run, settings, fails_at)
    typed = {entry.name: SimpleNamespace() for entry in STAGES}
    launchers = {"python": player, "spark": player, "deepspeed": player}
    return Conductor(run, settings, typed, None, launchers), player


def test_a_fresh_run_starts_every_stage_with_one_session_for_those_in_a_row(tmp_path: Path) -> None:
    line, player = conductor(tmp_path, setting())
    line.play()
    assert player.asked == [
        ("crawl", "crawl"),
        ("extract", "encode"),
        ("pretrain", "pretrain"),
        ("evaluate", "evaluate"),
        ("export", "export"),
        (REPORT, REPORT),
    ]
    assert line.out_of_date() == []


def test_without_changes_only_the_report_is_made_again(tmp_path: Path) -> None:
    conductor(tmp_path, setting())[0].play()
    line, player = conductor(tmp_path, setting())
    line.play()
    assert player.asked == [(REPORT, REPORT)]


def test_a_changed_setting_redoes_its_stage_and_those_after_it(tmp_path: Path) -> None:
    conductor(tmp_path, setting())[0].play()
    line, player = conductor(tmp_path, setting() | {"resample": {"budget": 2}})
    assert line.out_of_date()[0] == "resample" and "decontaminate" not in line.out_of_date()
    line.play()
    assert player.asked[0] == ("resample", "encode")
    line, player = conductor(tmp_path, setting() | {"resample": {"budget": 2}, "export": {"shards": 2}})
    line.play()
    assert player.asked == [("export", "export"), (REPORT, REPORT)]


def test_a_stage_that_fails_ends_the_line_with_its_name(tmp_path: Path) -> None:
    line, player = conductor(tmp_path, setting(corpus="c"), fails_at="clean")
    with pytest.raises(ConfigError, match="extract: ended with status 3"):
        line.play()
    assert [first for first, _ in player.asked] == ["extract"]
    assert line.out_of_date()[0] == "clean"


def test_one_stage_alone_and_a_name_that_is_none(tmp_path: Path) -> None:
    line, player = conductor(tmp_path, setting(corpus="c"))
    line.play_only("extract")
    assert player.asked == [("extract", "extract")]
    with pytest.raises(ConfigError, match="crawl: no such stage here"):
        line.play_only("crawl")
    assert stage("extract").reads == ("crawl",)
