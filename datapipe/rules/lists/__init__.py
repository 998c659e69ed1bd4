"""Word lists: the project's own, in YAML beside this file, and published ones by URI (a word or phrase a line, as LDNOOBW)."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from functools import lru_cache
from importlib import resources
from typing import Any

import yaml

from core import storage
from core.config import ConfigError
from datapipe.text.lexicon import Lexicon

_GZIP = b"\x1f\x8b"


@lru_cache(maxsize=16)
def tree(name: str) -> dict[str, Any]:
    """One of the project's own files of lists, as it stands."""
    text = resources.files(__name__).joinpath(f"{name}.yaml").read_text(encoding="utf-8")
    return dict(yaml.safe_load(text))


@lru_cache(maxsize=64)
def own(file: str, section: str) -> Lexicon:
    """One list of the project's own, each phrase of weight 1."""
    return Lexicon(dict.fromkeys(map(str, tree(file)[section]), 1.0))


@lru_cache(maxsize=32)
def flagged(uris: tuple[str, ...]) -> Lexicon:
    """The project's flagged words together with those of some lists."""
    words = dict.fromkeys(map(str, tree("flagged")["words"]), 1.0)
    for uri in uris:
        words.update(dict.fromkeys(read(uri), 1.0))
    return Lexicon(words)


def read(uri: str) -> Sequence[str]:
    """The entries of a list, plain or gzip-compressed; blank lines and lines that begin with "#" are passed over.

    Raises ConfigError where the file is missing, is no UTF-8 text, or holds nothing.
    """
    try:
        with storage.open_uri(uri) as handle:
            data = handle.read()
    except FileNotFoundError:
        raise ConfigError(f"clean.flagged_words: {uri}: no such file; give the URI of a list with one word a line.") from None
    try:
        text = (gzip.decompress(data) if data[:2] == _GZIP else data).decode("utf-8-sig")
    except (UnicodeDecodeError, gzip.BadGzipFile, EOFError) as error:
        raise ConfigError(f"clean.flagged_words: {uri}: not UTF-8 text, plain or gzip ({error}).") from None
    entries = [line.strip() for line in text.splitlines()]
    words = [entry for entry in entries if entry and not entry.startswith("#")]
    if not words:
        raise ConfigError(f"clean.flagged_words: {uri}: holds no word; give a list with one word or phrase a line.")
    return words
