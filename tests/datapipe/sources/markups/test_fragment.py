"""Fragments of HTML are content, whole."""

from __future__ import annotations

import pytest

from datapipe.sources.markups import fragment


def test_fragments_keep_their_code_line_for_line() -> None:
    html = "<p>Try   this &amp; that:</p><pre><code>if a &lt; b:\n    a = b</code></pre><p>Done.<br>Really.</p>"
    assert fragment.to_text(html) == "Try this & that:\n\nif a < b:\n    a = b\n\nDone.\nReally."


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<html><head><title>Moved</title></head></html>", ""),
        ("<html></html>", ""),
        ("<html", ""),
        ("<!doctype html>", ""),
        ("<html><frameset><frame></frameset></html>", ""),
        ("<html><body>One</body><body>Two</body></html>", "One\n\nTwo"),
    ],
)
def test_a_whole_page_is_its_bodies_however_many_it_has(html: str, text: str) -> None:
    assert fragment.to_text(html) == text
