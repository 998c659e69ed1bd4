"""Raw files to records: one file a source, one file a markup, each found here by the name that YAML uses.

A source reads a container (a crawl archive, a JSON list, a wiki dump); a markup turns what a record holds (LaTeX, wikitext,
Markdown) into plain text. The two are chosen apart, so LaTeX papers come as files or as JSON lines with the same code.
Modules are imported when a config first names them: a run that is up to date starts none of the parsers.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from core.config import ConfigError, build
from datapipe.sources.base import InputFile, Record, Source

SOURCES = {
    "warc": "warc:Warc",
    "commoncrawl": "commoncrawl:CommonCrawl",
    "records": "records:Records",
    "instruct": "instruct:Instruct",
    "parquet": "parquet:Parquet",
    "text": "text:Text",
    "wikipedia": "wikipedia:Wikipedia",
    "stackexchange": "stackexchange:StackExchange",
}
MARKUPS = {
    "plain": "plain:to_text",
    "markdown": "markdown:to_text",
    "latex": "latex:to_text",
    "wikitext": "wikitext:to_text",
    "html": "fragment:to_text",
    "book": "book:to_text",
    "law": "law:to_text",
    "patent": "patent:to_text",
    "medical": "medical:to_text",
    "code": "code:to_text",
    "concode": "concode:to_text",
}


def make(name: str, options: Mapping[str, Any]) -> Source:
    """The source of that name with these options. Raises ConfigError for an unknown name, option or type of value."""
    if name not in SOURCES:
        raise ConfigError(f"source = {name!r} must be one of {', '.join(sorted(SOURCES))}.")
    made: Source = build(_load("datapipe.sources", SOURCES[name]), options, "options")
    return made


def markup(name: str) -> Callable[[str], str]:
    """The function of that name from marked-up text to plain text. Raises ConfigError for an unknown name."""
    if name not in MARKUPS:
        raise ConfigError(f"markup = {name!r} must be one of {', '.join(sorted(MARKUPS))}.")
    function: Callable[[str], str] = _load("datapipe.sources.markups", MARKUPS[name])
    return function


@cache
def _load(package: str, place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(f"{package}.{module}"), name)


__all__ = ["MARKUPS", "SOURCES", "InputFile", "Record", "Source", "make", "markup"]
