"""Runs the whole line: finds the stages that are out of date and starts each as a user would, in order."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from core.config import ConfigError
from core.line import REPORT, Stage, active, fingerprint, outside
from core.run import Run

Launcher = Callable[[str, str], int]
"""Starts the stages from the first name through the last and returns the exit status."""


@dataclass(frozen=True)
class Conductor:
    """The line of one run.

    `settings` holds the plain value of every section, `typed` the section's dataclass, and `launchers` starts the stages
    of each kind of runner (and the report, under its own name).
    """

    run: Run
    settings: Mapping[str, Any]
    typed: Mapping[str, Any]
    config: Any
    launchers: Mapping[str, Launcher]

    def stages(self) -> list[Stage]:
        return active(self.settings.get("corpus"))

    def out_of_date(self) -> list[str]:
        """The names of the stages whose folders do not hold what the settings and inputs would give now."""
        expected: dict[str, str] = {}
        names = []
        for entry in self.stages():
            files = outside(self.typed[entry.name], self.config)
            expected[entry.name] = fingerprint(entry, self.settings, expected, files)
            if not self.run.stage(entry.name).is_done(expected[entry.name]):
                names.append(entry.name)
        return names

    def play(self) -> None:
        """Brings every stage up to date, then makes the report."""
        began = time.monotonic()
        stages = self.stages()
        position = 0
        while position < len(stages):
            stale = set(self.out_of_date())
            entry = stages[position]
            if entry.name not in stale:
                _say(f"[{position + 1}/{len(stages)}] {entry.name}: up to date")
                position += 1
                continue
            last = position
            if entry.runner == "spark":  # one session for as many as there are in a row
                while last + 1 < len(stages) and stages[last + 1].runner == "spark":
                    last += 1
            through = stages[last].name
            label = entry.name if through == entry.name else f"{entry.name} to {through}"
            _say(f"[{position + 1}/{len(stages)}] {label}")
            self._start(entry.runner if entry.runner != "python" else entry.name, entry.name, through)
            position = last + 1
        self._start(REPORT, REPORT, REPORT)
        _say(f"done in {time.monotonic() - began:.0f} s: {self.run.uri}/{REPORT}/index.html")

    def play_only(self, name: str) -> None:
        """Runs one stage on what the stages before it have left."""
        if name != REPORT and name not in [entry.name for entry in self.stages()]:
            raise ConfigError(f"{name}: no such stage here; the line has {', '.join(e.name for e in self.stages())}, {REPORT}.")
        kinds = {entry.name: entry.runner for entry in self.stages()}
        kind = kinds.get(name, "python")
        self._start(name if kind == "python" else kind, name, name)

    def _start(self, launcher: str, first: str, last: str) -> None:
        launch = self.launchers.get(launcher, self.launchers["python"])
        status = launch(first, last)
        if status:
            raise ConfigError(f"{first}: ended with status {status}; what it said stands above. Run again to go on from there.")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
