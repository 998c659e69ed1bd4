"""Pages of what is installed here are listed by name alone, nothing is imported for it."""

from __future__ import annotations

import sys

from datapipe.crawl import local


def test_pages_are_listed_without_importing_anything() -> None:
    before = set(sys.modules)
    pages = local.module_pages(["hypothesis", "no_such_package"], 400)
    assert len(pages) == len(set(pages)) == 400
    assert "/json.html" in pages and any(page.startswith("/hypothesis") for page in pages)
    assert not {name for name in set(sys.modules) - before if name.startswith("hypothesis")}
