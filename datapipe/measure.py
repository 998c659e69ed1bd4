"""Measures of all documents that a run extracted, made when what they depend on has changed: the table that `tune` reads."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from core import __version__
from core.config import plain
from core.run import Run
from datapipe.config import DataConfig
from datapipe.rules.registry import LINE_RULES, PAGE_RULES

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def measure(config: DataConfig, session: Callable[[], SparkSession]) -> str:
    """Brings RUN/measures up to date; a session is opened only where it is not. Returns a line about it."""
    extract, directory = Run(config.run).stage("extract"), Run(config.run).stage("measures")
    wanted = _fingerprint(config, str(extract.require()["fingerprint"]))
    if directory.is_done(wanted):
        return "measure: up to date"
    opened = session()
    from datapipe.rules.table import measure_documents
    from datapipe.work import Work  # pyspark is not imported while the table is up to date

    began = time.monotonic()
    directory.begin(wanted)
    facts = measure_documents(Work(opened, config, directory, {"extract": extract}))
    directory.commit(wanted, facts, time.monotonic() - began)
    return f"measure: {facts['documents']} documents, {facts['measures']} measures"


def _fingerprint(config: DataConfig, extracted: str) -> str:
    lists = [vars(info) for info in config.clean.files(config)]
    basis = [__version__, extracted, config.extract.shards, plain(config.clean), lists, [*PAGE_RULES, *LINE_RULES]]
    return hashlib.sha256(json.dumps(basis, sort_keys=True).encode()).hexdigest()[:32]
