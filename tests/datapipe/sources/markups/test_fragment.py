"""Fragments of HTML are content, whole."""

from __future__ import annotations

from datapipe.sources.markups import fragment


def test_fragments_keep_their_code_line_for_line() -> None:
    html = "<p>Try   this &amp; that:</p><pre><code>if a &lt; b:\n    a = b</code></pre><p>Done.<br>Really.</p>"
    assert fragment.to_text(html) == "Try this & that:\n\nif a < b:\n    a = b\n\nDone.\nReally."
