"""What the names that authors give to elements say: classes, ids and roles to a set of bits.

The words are those that page templates use all over the web, whatever the site; each group is one bit, and a bit says only
that a word is there. What follows from it is for the scores to weigh. Names are compared in lower case with `-` and `_` as
spaces and a space at either end, so that a word with a space at its end must end there. What one name says is remembered, as
pages repeat their names: of words with a space within, which part ends it and which begins it.
"""

from __future__ import annotations

import re
from functools import lru_cache

_HOLDERS = "entry article post page story news blog single main body field rich text".split()
_HELD = "content text body entry copy".split()
GROUPS = {
    "nav": " nav|navi|navbar|menu|breadcrumb|bread crumb|crumbs|pagination|pager| toc |tab | tabs|sitemap|skip ",
    "side": "side|rail |aside|complementary|right col|left col|rightcol|leftcol|widget",
    "foot": "foot|copyright|contentinfo|colophon|bottom",
    "head": "header|masthead|banner|topbar|top bar|logo|hero",
    "share": "share|sharing|social|sociable|follow|twitter|facebook|whatsapp|addthis|viral",
    "related": "relat|recommend|similar|more |most |popular|trending|also|next |prev |readmore|teaser|promo|latest|upsell|"
    "carousel|slide",
    "comment": "comment|disqus|respond|reply|replies|discuss",
    "ad": " ad | ads |advert|sponsor|outbrain|taboola|dfp|google|affiliate|reklam",
    "form": "newsletter|subscri|signup|sign up|login|log in|signin|search|form |poll|paywall|premium|donat|cart|button|btn",
    "notice": "cookie|consent|gdpr|modal|popup|pop up|overlay|dialog|toast|alert|message|privacy|legal",
    "byline": "author|byline|meta|date|time|stamp|publish|posted| tag | tags|categor|info|credit|source|editor|rating|user",
    "caption": "caption|figure|photo|image|img|gallery|media|thumb|video|embed|player",
    "hidden": "hidden|hide |invisible|noprint|no print|sr only|screen reader|screenreader|visually|collapsed|print only",
    "body": "|".join(f"{one}{gap}{two}" for one in _HOLDERS for two in _HELD for gap in ("", " "))
    + "|richtext|rich text|markdown|prose|wysiwyg|hentry|fulltext|storymain|article  ",
    "content": "content|main|primary|detail|article|story| post | entry | text |zhengwen|artical|news",
    "post": "post|entry|thread|topic|question|answer|review|bbcode|description|product|summary|feature|spec",
    "item": "card|item|tile|grid|list|row |result|box|block|module|panel|cell",
    "title": "title|headline|heading|subtitle|lead|intro|standfirst|deck|excerpt|abstract",
}
HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden")
_GAPS = str.maketrans("-_", "  ")
_LONGEST = 300


def _tables() -> tuple[dict[str, list[tuple[str, int]]], dict[str, int], dict[str, int], list[int]]:
    """Words by their first three characters, with their bits; of those with a space within, by the name that they end and by
    the one that they begin, their places among the bits that follow."""
    by_three: dict[str, list[tuple[str, int]]] = {}
    ends: dict[str, int] = {}
    begins: dict[str, int] = {}
    pairs: list[int] = []
    for place, words in enumerate(GROUPS.values()):
        for word in words.split("|"):
            end, space, beginning = word.strip().partition(" ")
            if space or word.endswith("  "):
                ends[end] = ends.get(end, 0) | 1 << len(pairs)
                begins[beginning] = begins.get(beginning, 0) | 1 << len(pairs)
                pairs.append(1 << place)
            else:
                by_three.setdefault(word[:3], []).append((word, 1 << place))
    return by_three, ends, begins, pairs


_BY_THREE, _ENDS, _BEGINS, _PAIRS = _tables()
_LENGTHS = sorted({len(part) for part in (*_ENDS, *_BEGINS)})


@lru_cache(maxsize=1 << 16)
def _said_by(name: str) -> tuple[int, int, int]:
    """Bits of one name; pairs that it may be the first of, and the second of (an empty second is an empty name)."""
    spaced = f" {name} "
    said = ends = 0
    for at in range(len(spaced) - 2):
        if (three := spaced[at : at + 3]) in _BY_THREE:
            for word, bit in _BY_THREE[three]:
                if spaced.startswith(word, at):
                    said |= bit
    begins = 0 if name else _BEGINS[""]
    for length in _LENGTHS:
        if 0 < length <= len(name):
            ends |= _ENDS.get(name[-length:], 0)
            begins |= _BEGINS.get(name[:length], 0)
    return said, ends, begins


@lru_cache(maxsize=1 << 15)
def hints(names: str) -> int:
    """The bits of an element's class, id and role put together; what lies beyond 300 characters is not looked at."""
    said = before = 0
    for name in names[:_LONGEST].lower().translate(_GAPS).split(" "):
        bits, ends, begins = _said_by(name)
        said |= bits
        if met := before & begins:
            for place, bit in enumerate(_PAIRS):
                if met >> place & 1:
                    said |= bit
        before = ends
    return said
