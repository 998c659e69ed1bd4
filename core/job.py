"""What every entry in `jobs/` does before its work: arguments, help, and errors a person can read.

Importing this module also takes the script's own folder off `sys.path`: Python puts it first there, so `jobs/report.py`
would hide the package `report`, and `jobs/evaluate.py` the library of that name which other libraries import.
"""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from core.config import ConfigError, describe, load
from core.line import foreign

_JOBS = Path(__file__).resolve().parent.parent / "jobs"
sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != _JOBS]

T = TypeVar("T")


class Parser(argparse.ArgumentParser):
    """Takes `key=value` before, between and after options, as people type them."""

    def __init__(self, description: str, epilog: str | None = None) -> None:
        super().__init__(description=description, epilog=epilog, formatter_class=argparse.RawDescriptionHelpFormatter)
        self.add_argument("--config", required=True, metavar="FILE", help="the run's YAML, for example configs/demo.yaml")
        self.add_argument("overrides", nargs="*", metavar="key=value", help="any setting by its dotted name, as run=runs/demo")

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        return self.parse_intermixed_args(args, namespace)


def parser(description: str, schema: type[Any], sections: Sequence[str]) -> Parser:
    """The arguments that all jobs share; the help lists the settings of the sections with their defaults and reasons."""
    lines = ["settings (override any as key=value):"]
    rows = [row for row in describe(schema, "") if row[0].split(".")[0] in sections or "." not in row[0]]
    for name, default, why in rows:
        lines.append(f"  {name} = {default}")
        lines.extend(textwrap.wrap(why, 100, initial_indent="      ", subsequent_indent="      "))
    return Parser(description, "\n".join(lines))


def settings(arguments: argparse.Namespace, schema: type[T], package: str) -> T:
    """The typed config of a package from parsed arguments."""
    return load(arguments.config, arguments.overrides, schema, foreign(package))


def guarded(work: Callable[[], None], resumes: bool = True) -> None:
    """Runs a job; what the user can mend is one line on stderr and exit status 2, anything else keeps its traceback.

    resumes: whether a call after Ctrl-C uses what this one had done.
    """
    try:
        work()
    except ConfigError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        then = "goes on from here" if resumes else "begins anew"
        print(f"stopped; the same command {then}.", file=sys.stderr)
        sys.exit(130)
