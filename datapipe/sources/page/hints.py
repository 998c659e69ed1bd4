"""What the names that authors give to elements say: classes, ids and roles to a set of bits.

The words are those that page templates use all over the web, whatever the site; each group is one bit, and a bit says only
that a word is there. What follows from it is for the scores to weigh. Names are compared in lower case with `-` and `_` as
spaces and a space at either end, so that a word with a space at its end must end there; plain substrings, which is fifty
times as fast as a regular expression of the same words.
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
_WORDS = [(1 << place, tuple(words.split("|"))) for place, words in enumerate(GROUPS.values())]
_GAPS = str.maketrans("-_", "  ")
_LONGEST = 300


@lru_cache(maxsize=1 << 15)
def hints(names: str) -> int:
    """The bits of an element's class, id and role put together; what lies beyond 300 characters is not looked at."""
    spaced = f" {names[:_LONGEST].lower().translate(_GAPS)} "
    said = 0
    for bit, words in _WORDS:
        for word in words:
            if word in spaced:
                said |= bit
                break
    return said
