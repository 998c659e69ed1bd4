"""The demo's corpus: pages crawled from loopback into WARC, and local texts as JSON lines.

No document comes in, so there is nothing to keep or to remove: the facts are the pages and texts found.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import zstandard

from core import storage
from core.run import StageDirectory
from datapipe.config import CrawlConfig
from datapipe.crawl import local
from datapipe.crawl.capture import capture

_ARCHIVES = 4  # a crawl has many; one file is read by one task


def crawl(config: CrawlConfig, directory: StageDirectory) -> dict[str, Any]:
    """Fills the stage's folder: `pydoc-*.warc.gz` and one `.jsonl.zst` for each kind of text. Returns what was found."""
    pages = local.module_pages(config.packages, config.pages)
    with ExitStack() as stack:
        names = [f"pydoc-{number:05d}.warc.gz" for number in range(_ARCHIVES)]
        paths = [stack.enter_context(storage.aside(directory.path(name))) for name in names]
        captured, lost = capture(pages, paths, max(1, min(4, os.cpu_count() or 1)))
    texts = {
        "code": local.code(config.code_bytes),
        "licences": local.licences(),
        "readmes": local.readmes(),
        "reference": local.reference(),
        "project": local.project(),
    }
    counts = {name: _write(directory.path(f"{name}.jsonl.zst"), found) for name, found in texts.items()}
    return {"pages": captured, "pages_lost": lost, "texts": counts}


def _write(uri: str, texts: Iterator[local.Text]) -> int:
    count = 0
    with storage.aside(uri) as path, zstandard.open(path, "wt", encoding="utf-8") as handle:
        for name, text in texts:
            handle.write(json.dumps({"path": name, "text": text}, ensure_ascii=False) + "\n")
            count += 1
    return count
