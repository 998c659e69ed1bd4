"""What the classifier sees of a document: a few windows of equal size, each as one line of tokens.

Windows rather than whole documents, so that it cannot tell long documents from short ones, and so that a book costs no more
than a page. Lower-case words, marks of punctuation, and single Han or kana characters are tokens.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

FILE = "file:"
_SINGLE = "\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_TOKEN = re.compile(rf"[{_SINGLE}]|[^\W_{_SINGLE}]+|[^\w\s]")
_CHARACTERS = 8  # a window of n tokens is looked for in 8 n characters: English takes about 6 a word with its space


def windows(text: str, count: int, tokens: int) -> list[str]:
    """Up to `count` windows of at most `tokens` tokens, spread evenly; fewer where the text is shorter. At least one."""
    span = tokens * _CHARACTERS
    wanted = max(1, min(count, -(-len(text) // span)))
    step = len(text) / wanted
    found = []
    for number in range(wanted):
        begin = int(number * step)
        line = _TOKEN.findall(text[begin : begin + span].lower())
        found.append(" ".join(line[1 if begin else 0 :][:tokens]))  # a window may begin inside a word
    return found


def host(url: str | None, source: str, path: str | None = None) -> str:
    """Whose text it is: the host of its URL, else the folder of the path that it is known by, else `file:` and its source.

    Documents of one host never stand on both sides of a split, or the classifier would be measured on sites it knows.
    """
    name = host_of(url)
    if name:
        return name
    return path.rpartition("/")[0] or path if path else FILE + source


def host_of(url: str | None) -> str | None:
    """The host that a URL names, without `www`; None where it names none, or is none that can be read (a bracket that
    nothing closes, `https://[email protected]/`, a full-width slash after the host)."""
    try:
        name = urlsplit(url).hostname if url else None
    except ValueError:
        return None
    return (name or "").removeprefix("www.") or None
