"""All text of a page, found without parsing it: what stands between tags, scripts and styles left out, links known apart.

A parser takes a millisecond and more a page, extraction five to twenty; this takes a fraction of one. It finds more than the
main text (menus, footers, what is hidden), hardly ever less, which is what bounds that discard need.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape

_OPENS = re.compile(r"<(?:(script|style)\b|!--)", re.IGNORECASE)
_CLOSES = {
    "script": re.compile(r"</script", re.IGNORECASE),
    "style": re.compile(r"</style", re.IGNORECASE),
    "": re.compile("-->"),
}
_RUNS = re.compile(r"</?[aA](?=[\s>])|>\s*+[^<\s][^<]*+")  # a link's tags, and what follows any tag
_ARTICLE = re.compile(r'"articleBody"\s*+:\s*+"((?:[^"\\]|\\.)*+)"')  # for search engines; extractors fall back on it
_LONG = 40  # characters: a run that long is hardly a menu's


@dataclass(frozen=True)
class CheapText:
    """The text of a page: all of it, its longer runs outside of links (all where there are few), its characters, those in
    links."""

    text: str
    prose: str
    characters: int
    linked: int


def cheap_text(html: str) -> CheapText:
    """The text of a decoded page. Time grows with the page's length and with nothing else."""
    bare = _without_code(html)
    runs: list[str] = []
    prose: list[str] = []
    linked = 0
    in_link = False
    for found in _RUNS.findall(f">{bare}"):
        if found[0] == ">":
            runs.append(found[1:])
            if in_link:
                linked += len(found) - 1
            elif len(found) > _LONG:
                prose.append(found[1:])
        else:
            in_link = found[1] != "/"
    if "articleBody" in html:
        prose += [body.replace("\\n", "\n") for body in _ARTICLE.findall(html)]
        runs += prose[-1:]
    text, main = " ".join(runs), " ".join(prose)
    characters = len(text)
    if "&" in text:
        text, main = unescape(text), unescape(main)
    return CheapText(text, main if len(main) >= 400 else text, characters, linked)


def plain(text: str) -> CheapText:
    """The same of what is no page but text."""
    return CheapText(text, text, len(text), 0)


def _without_code(html: str) -> str:
    """The page without scripts, styles and comments; what is never closed goes up to the end, as in a browser."""
    kept: list[str] = []
    place = 0
    while (opens := _OPENS.search(html, place)) is not None:
        kept.append(html[place : opens.start()])
        closes = _CLOSES[(opens.group(1) or "").lower()].search(html, opens.end())
        if closes is None:
            if opens.group(1) is None:  # a comment that is never closed is taken for text: nothing is lost by mistake
                place = opens.end()
                kept.append("<>")
                break
            place = len(html)
            break
        if opens.group(1) is None:
            place = closes.end()
            kept.append("<>")
        else:
            place = closes.start()
    kept.append(html[place:])
    return "".join(kept)
