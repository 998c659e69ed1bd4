"""Wikitext to text through mwparserfromhell: templates, tables, references, files and markup go, prose stays.

An article ends where its first closing section begins (references, notes, external links ... in 22 languages); a closing
section within another one goes alone.
"""

from __future__ import annotations

import re
from typing import Any

from datapipe.sources.markups.guard import require_closed
from datapipe.sources.markups.wikiwords import ALSO_SUBJECTS, CATEGORIES, END_SECTIONS, FILES, REDIRECTS

_PAIRS = (("{{", "}}"), ("[[", "]]"), ("{|", "|}"), ("[http", "]"), ("<!--", "-->"))
_OPENED = re.compile(r"<(?!br\b|hr\b)[A-Za-z][^<>]*(?<!/)>")
_ENDINGS = frozenset(heading for headings in END_SECTIONS.values() for heading in headings)
_HEADING = re.compile(r"^(={2,4})[ \t]*(.+?)[ \t]*\1[ \t]*(?:<!--.*?-->[ \t]*)?$", re.MULTILINE)
_REDIRECT = re.compile(rf"\A\s*#\s*(?:{'|'.join(REDIRECTS)})\b\s*:?\s*\[\[", re.IGNORECASE)
_MEDIA = re.compile(rf"\A\s*:?\s*(?:{'|'.join(FILES)})\s*:", re.IGNORECASE)
_CATEGORY = re.compile(rf"\A\s*(?:{'|'.join(CATEGORIES)})\s*:", re.IGNORECASE)
_INTERWIKI = re.compile(r"\A\s*:?[a-z]{2,3}(?:-[a-z]{2,10})?\s*:")
_DROPPED_TAGS = frozenset(
    "ref references gallery table timeline imagemap score hiero mapframe maplink templatestyles graph section".split()
)
_VARIANT = re.compile(r"-\{(?:[^{}|]*\|)?([^{}]*)\}-")  # Chinese: one word for each region
_FORM = re.compile(r"zh-(?:hans|cn|sg|my|hant|tw|hk|mo)\s*:\s*([^;]+)")
_FOUR_QUOTES = re.compile(r"(?<!')'{4}(?!')")  # an apostrophe, then bold
_ELISION = re.compile(r"(?<![^\W\d_])([lLdDcCjJmMnNsStT]|[qQ]u)'{3}(?=[^'\n]+'{2}(?!'))")  # l'italic
_SWITCH = re.compile(r"__[A-Z]{4,24}__")
_TABLE = re.compile(r"^\s*:*\{\|.*?^\s*\|\}", re.DOTALL | re.MULTILINE)
_CALL = re.compile(r"\{\{[^{}]*\}\}")
_STRAY = re.compile(r"\[\[|\]\](?!\])|\{\{|\}\}(?!\})")
_EMPTY_BRACKETS = re.compile(r"[ \u00a0]?[(（][\s,;:，；、：·/–-]*[)）]")
_ITEM = re.compile(r"^- [- ]*", re.MULTILINE)
_EMPTY_ITEM = re.compile(r"^[- ]+$", re.MULTILINE)
_EMPTY_HEADING = re.compile(r"^(=+) .+ \1\n*(?=(=+) |\Z)", re.MULTILINE)
_SAYING = frozenset(
    "lang langue vjazyce nowrap nobr nihongo transl transliteration small abbr tooltip ill le 仮リンク smallcaps sc".split()
)
_LANG_CODE = re.compile(r"\A(?:lang|link|link-interwiki)-[a-z-]+\Z")
_SECOND = {"lang", "langue", "transl", "transliteration"}  # the first value is the code of a language
_THIRD = {"tsl", "illm"}


def is_redirect(text: str) -> bool:
    return _REDIRECT.match(text) is not None


def to_text(text: str) -> str:
    """The prose of an article; headings stand on lines of their own as `== Heading ==`."""
    import mwparserfromhell  # 0.1 s, and only wikis need it

    if is_redirect(text):
        return ""
    require_closed(text, _PAIRS)
    require_closed(_OPENED.sub("<opened>", text), (("<opened>", "</"),))
    text = _VARIANT.sub(_variant, _TABLE.sub("", _until_references(text)))
    text = _ELISION.sub(r"\1’''", _FOUR_QUOTES.sub("’'''", text))
    plain = _rendered(mwparserfromhell.parse(text, skip_style_tags=True))
    plain = re.sub(r"'{2,5}", "", _SWITCH.sub("", plain))
    plain = _EMPTY_BRACKETS.sub("", plain)
    return _without_empty_sections(re.sub(r"^[ :;]+", "", plain, flags=re.MULTILINE)).strip()


def _variant(match: re.Match[str]) -> str:
    """The first regional form of a word; simplified characters where the article offers them first."""
    form = _FORM.search(match.group(1))
    return form.group(1).strip() if form else match.group(1)


def _until_references(text: str) -> str:
    """The text before the first closing section, less closing sections that stand within others.

    A heading that is also a subject ("Literature") closes only where no other section follows on its level.
    """
    headings = [(len(found.group(1)), _name(found.group(2)), found.start()) for found in _HEADING.finditer(text)]
    parts: list[str] = []
    place = skipped = 0
    for number, (level, name, start) in enumerate(headings):
        if skipped:
            if level > skipped:
                continue
            place, skipped = start, 0
        if name not in _ENDINGS:
            continue
        if level == 2 and (name not in ALSO_SUBJECTS or _all_closing(headings[number:])):
            return "".join([*parts, text[place:start]])
        if level > 2 and name not in ALSO_SUBJECTS:
            parts.append(text[place:start])
            skipped = level
    return "".join(parts if skipped else [*parts, text[place:]])


def _name(heading: str) -> str:
    return re.sub(r"[\[\]':：{}]", "", heading).strip().lower()


def _all_closing(headings: list[tuple[int, str, int]]) -> bool:
    return all(name in _ENDINGS for level, name, _ in headings if level == 2)


def _rendered(code: Any) -> str:
    """The prose of a parsed text: what is no prose says nothing, templates that only dress words say those words."""
    parts: list[str] = []
    for node in code.nodes:
        kind = type(node).__name__
        if kind == "Text":
            parts.append(_without_calls(str(node.value)))
        elif kind == "Heading":
            mark = "=" * node.level
            parts.append(f"\n\n{mark} {_rendered(node.title).strip()} {mark}\n\n")
        elif kind == "Template":
            parts.append(_said(node))
        elif kind == "HTMLEntity":
            parts.append(node.normalize())
        elif kind == "ExternalLink":
            parts.append(_rendered(node.title) if node.title is not None else "")
        elif kind == "Wikilink":
            parts.append(_linked(node))
        elif kind == "Tag":
            parts.append(_tagged(node))
    return "".join(parts)


def _without_calls(text: str) -> str:
    """Arithmetic on templates, which the parser leaves as text, and brackets that close nothing go."""
    if not _STRAY.search(text):
        return text
    while (less := _CALL.sub("", text)) != text:
        text = less
    return _STRAY.sub("", text)


def _linked(link: Any) -> str:
    title = str(link.title)
    if _MEDIA.match(title) or _CATEGORY.match(title) or (link.text is None and _INTERWIKI.match(title)):
        return ""
    return _rendered(link.text if link.text is not None else link.title).lstrip(":")


def _tagged(tag: Any) -> str:
    name = str(tag.tag).strip().lower()
    if name in _DROPPED_TAGS:
        return ""
    if name == "br":
        return "\n"
    if name == "math":
        return f"${str(tag.contents).strip()}$"
    if tag.wiki_markup in ("*", "#"):
        return "- "
    return _rendered(tag.contents) if tag.contents is not None else ""


def _said(template: Any) -> str:
    name = str(template.name).strip().lower()
    if name.startswith("formatnum:"):
        return name.partition(":")[2]
    values = [str(parameter.value) for parameter in template.params if not parameter.showkey]
    if name in ("convert", "cvt", "unité") and len(values) >= 2:
        return f"{values[0]} {values[1]}"
    place = 2 if name in _THIRD else 1 if name in _SECOND else 0
    if len(values) <= place or not (name in _SAYING or name in _THIRD or _LANG_CODE.match(name)):
        return ""
    said = values[place]
    return "" if any(mark in said for mark in "{}[]<>") else said


def _without_empty_sections(text: str) -> str:
    """A section whose tables and lists are gone leaves a heading over nothing."""
    text = re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE)
    text = re.sub(r"\n{3,}", "\n\n", _ITEM.sub("- ", _EMPTY_ITEM.sub("", text)))
    while True:
        shorter = _EMPTY_HEADING.sub(_kept_heading, text)
        if shorter == text:
            return text
        text = shorter


def _kept_heading(found: re.Match[str]) -> str:
    """A heading followed at once by a deeper one has something under it."""
    mark, following = found.group(1), found.group(2)
    return found.group() if following is not None and len(following) > len(mark) else ""
