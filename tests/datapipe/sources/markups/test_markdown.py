"""Markdown stays Markdown, less what only a site builder reads."""

from __future__ import annotations

from datapipe.sources.markups import markdown
from datapipe.sources.reading import tidy


def test_markdown_keeps_code_and_loses_what_only_builders_read() -> None:
    text = (
        "---\ntitle: x\ntags: [a]\n---\n# Bridge\n\n<!-- note -->\n"
        "See [the *docs*](http://a.org/x_(y)) and ![a picture](a.png).\n"
        "[ref]: http://a.org\n:::note\n<div align=\"center\">Text</div>\n\n```html\n<div>[kept](x) <!-- kept --></div>\n```\n"
    )  # fmt: skip
    assert tidy(markdown.to_text(text)) == (
        "# Bridge\n\nSee the *docs* and .\n\nText\n\n```html\n<div>[kept](x) <!-- kept --></div>\n```"
    )


def test_operators_in_code_are_no_open_tags() -> None:
    text = "```cpp\n" + 'std::cout << "a" << b[1;\n' * 300 + "```\n"
    assert markdown.to_text(text) == text.strip()
