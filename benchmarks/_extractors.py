"""Ways from a decoded page to its main text, ours and others', all with one signature and timed alike.

resiliparse is no dependency of this project: it is installed into an environment of its own in a temporary folder, and runs
there as a child that is given the pages and times itself in the same way (CPU seconds of the process).
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import trafilatura

from datapipe.config import HtmlConfig
from datapipe.sources.html import page_text
from datapipe.sources.page.parse import parse

OURS, DEFAULTS, FAST, RESILIPARSE, PARSER = (
    "ours",
    "trafilatura defaults",
    "trafilatura fast",
    "resiliparse",
    "lxml parse alone",
)
_CHILD = """
import json, sys, time
from resiliparse.extract.html2text import extract_plain_text
pages = [json.loads(line) for line in sys.stdin]
texts, spent = [], []
for page in pages:
    began = time.process_time()
    texts.append(extract_plain_text(page, main_content=True))
    spent.append(time.process_time() - began)
json.dump([texts, spent], sys.stdout)
"""


def run(name: str, pages: Sequence[str]) -> tuple[list[str], list[float]]:
    """(text of each page, CPU seconds of each page) by the extractor of that name."""
    if name == RESILIPARSE:
        return _resiliparse(pages)
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
    extract: dict[str, Callable[[str], str | None]] = {
        OURS: lambda page: page_text(page, HtmlConfig()).text,
        DEFAULTS: trafilatura.extract,
        FAST: partial(trafilatura.extract, fast=True, include_comments=False),
        PARSER: lambda page: "" if parse(page) is None else "",
    }
    one = extract[name]
    one(pages[0])  # what is loaded once a process
    texts, spent = [], []
    for page in pages:
        began = time.process_time()
        texts.append(one(page) or "")
        spent.append(time.process_time() - began)
    return texts, spent


def _resiliparse(pages: Sequence[str]) -> tuple[list[str], list[float]]:
    with tempfile.TemporaryDirectory() as folder:
        python = Path(folder) / "bin" / "python"
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        install = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", "resiliparse"]
        if subprocess.run(install, check=False).returncode:
            raise SystemExit("error: resiliparse could not be installed from PyPI; leave it out with --without-resiliparse.")
        listed = subprocess.run(
            [str(python), "-m", "pip", "list", "--format=freeze"], capture_output=True, text=True, check=True
        )
        print("installed for comparison:", " ".join(listed.stdout.split()), file=sys.stderr)
        given = "".join(json.dumps(page) + "\n" for page in pages)
        made = subprocess.run([str(python), "-c", _CHILD], input=given, capture_output=True, text=True, check=True)
        texts, spent = json.loads(made.stdout)
        return texts, spent
