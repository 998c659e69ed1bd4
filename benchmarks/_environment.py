"""An environment of its own for the public peers of a benchmark, so that the project's stays as `make setup` left it."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import venv
from collections.abc import Sequence
from pathlib import Path

FOLDER = Path(tempfile.gettempdir()) / "benchmark-environments"


def environment(name: str, packages: Sequence[str]) -> Path:
    """The Python of an environment with these packages from PyPI; made where it is not there yet, and what is in it printed.

    Raises SystemExit, with pip's own words, where they cannot be installed.
    """
    folder = FOLDER / name
    python, ready = folder / "bin" / "python", folder / "ready"
    wanted = "\n".join(packages)
    if not ready.exists() or ready.read_text() != wanted:
        print(f"{name}: installing {', '.join(packages)} into {folder}", file=sys.stderr, flush=True)
        venv.create(folder, clear=True, with_pip=True)
        command = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", *packages]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"error: {name}: pip could not install {', '.join(packages)}:\n{done.stderr.strip()}")
        ready.write_text(wanted)
    frozen = subprocess.run([str(python), "-m", "pip", "freeze"], capture_output=True, text=True, check=True).stdout.split()
    names = {re.split(r"[\[<>=]", package)[0].lower() for package in packages}
    print(f"{name}: {', '.join(line for line in frozen if line.split('=')[0].lower() in names)}", file=sys.stderr, flush=True)
    return python
