"""Writes the report of a run: `RUN/report/index.html` and `RUN/report/summary.json`."""

from __future__ import annotations

import sys

from core import storage
from core.job import guarded, parser, settings
from core.line import REPORT
from core.run import Run
from report.config import ReportConfig
from report.page import render
from report.read import read_run
from report.summary import summary


def main(description: str | None) -> None:
    """The entry of the job: always made anew, from whatever the run holds by now."""
    arguments = parser(description or REPORT, ReportConfig, [REPORT])
    guarded(lambda: make(settings(arguments.parse_args(), ReportConfig, REPORT)))


def make(config: ReportConfig) -> None:
    """Writes both files and says where the page is. Raises ConfigError where there is no run or it cannot be written to."""
    facts = read_run(config.run)
    run = Run(config.run)
    run.prepare()
    directory = run.stage(REPORT)
    storage.write_json(directory.path("summary.json"), summary(facts))
    page = directory.path("index.html")
    storage.write_text(page, render(facts, config.report))
    print(f"report: {page}", file=sys.stderr)
