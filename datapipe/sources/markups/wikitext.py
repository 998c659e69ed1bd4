"""Wikitext to text through mwparserfromhell: templates, tables, references, files and markup go, prose stays.

An article ends where its first closing section begins (references, notes, external links ... in 22 languages).
"""

from __future__ import annotations

import re
from typing import Any

from datapipe.sources.markups.wikiwords import CATEGORIES, END_SECTIONS, FILES, REDIRECTS

_ENDINGS = frozenset(heading for headings in END_SECTIONS.values() for heading in headings)
_HEADING = re.compile(r"^(={2,4})\s*(.+?)\s*\1\s*$", re.MULTILINE)
_REDIRECT = re.compile(rf"\A\s*#\s*(?:{'|'.join(REDIRECTS)})\b\s*:?\s*\[\[", re.IGNORECASE)
_MEDIA = re.compile(rf"\A\s*:?\s*(?:{'|'.join(FILES)})\s*:", re.IGNORECASE)
_CATEGORY = re.compile(rf"\A\s*(?:{'|'.join(CATEGORIES)})\s*:", re.IGNORECASE)
_INTERWIKI = re.compile(r"\A\s*:?[a-z]{2,3}(?:-[a-z]{2,10})?\s*:")
_DROPPED_TAGS = {"ref", "references", "gallery", "table", "timeline", "imagemap", "score", "hiero", "mapframe", "maplink", "templatestyles", "graph", "section"}
_VARIANT = re.compile(r"-\{(?:[^{}|]*\|)?([^{}]*)\}-")
_SWITCH = re.compile(r"__[A-Z]{4,24}__")
_TABLE = re.compile(r"^\s*:*\{\|.*?^\s*\|\}", re.DOTALL | re.MULTILINE)
_EMPTY_BRACKETS = re.compile(r"[ \u00a0]?[(（][\s,;:，；、：·/–-]*[)）]")
_LEADING = re.compile(r"^[*#:;]+[ \t]*", re.MULTILINE)
_EMPTY_HEADING = re.compile(r"^(=+) .+ \1\n+(?=(=+) |\Z)", re.MULTILINE)
_SAYING = {"lang", "nowrap", "nobr", "nihongo", "transl", "transliteration", "small", "abbr", "tooltip", "ill", "smallcaps", "sc"}
_LANG_CODE = re.compile(r"\Alang-[a-z-]+\Z")


def is_redirect(text: str) -> bool:
    return _REDIRECT.match(text) is not None


def to_text(text: str) -> str:
    """The prose of an article; headings stand on lines of their own as `== Heading ==`."""
    import mwparserfromhell  # 0.1 s, and only wikis need it

    if is_redirect(text):
        return ""
    text = _TABLE.sub("", _until_references(text))
    code = mwparserfromhell.parse(_VARIANT.sub(r"\1", text), skip_style_tags=True)
    _prune(code)
    plain = code.strip_code(normalize=True, collapse=True, keep_template_params=False)
    plain = re.sub(r"'{2,5}", "", _SWITCH.sub("", plain))
    plain = _EMPTY_BRACKETS.sub("", plain)
    plain = _LEADING.sub(lambda mark: "- " if mark.group()[0] in "*#" else "", plain)
    return _without_empty_sections(plain).strip()


def _until_references(text: str) -> str:
    for heading in _HEADING.finditer(text):
        if re.sub(r"[\[\]':：{}]", "", heading.group(2)).strip().lower() in _ENDINGS:
            return text[: heading.start()]
    return text


def _prune(code: Any) -> None:
    """Removes what is not prose from the tree, and lets the few templates that only dress words say those words."""
    for node in code.filter(recursive=False):
        kind = type(node).__name__
        if kind == "Comment":
            code.remove(node)
        elif kind == "Heading":
            code.replace(node, f"\n\n{'=' * node.level} {node.title.strip_code().strip()} {'=' * node.level}\n\n")
        elif kind == "Template":
            said = _said(node)
            code.replace(node, said) if said else code.remove(node)
        elif kind == "Wikilink":
            title = str(node.title)
            if _MEDIA.match(title) or _CATEGORY.match(title) or (node.text is None and _INTERWIKI.match(title)):
                code.remove(node)
            elif node.text is not None:
                _prune(node.text)
        elif kind == "Tag":
            name = str(node.tag).strip().lower()
            if name in _DROPPED_TAGS:
                code.remove(node)
            elif name == "math":
                code.replace(node, f"${str(node.contents).strip()}$")
            elif name == "br":
                code.replace(node, "\n")
            elif node.contents is not None:
                _prune(node.contents)


def _said(template: Any) -> str:
    name = str(template.name).strip().lower()
    values = [str(parameter.value) for parameter in template.params if not parameter.showkey]
    if name in ("convert", "cvt") and len(values) >= 2:
        return f"{values[0]} {values[1]}"
    if not values or not (name in _SAYING or _LANG_CODE.match(name)):
        return ""
    said = values[1] if name in ("lang", "transl", "transliteration") and len(values) > 1 else values[0]
    return "" if any(mark in said for mark in "{}[]<>") else said


def _without_empty_sections(text: str) -> str:
    """A section whose tables and lists are gone leaves a heading over nothing."""
    text = re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE)
    text = re.sub(r"\n{3,}", "\n\n", text)
    while True:
        shorter = _EMPTY_HEADING.sub(lambda found: "" if found.group(2) is None or len(found.group(2)) <= len(found.group(1)) else found.group(), text)
        if shorter == text:
            return text
        text = shorter
