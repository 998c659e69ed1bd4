"""Books: what stands before and after the work goes, lines broken by a printer's width are joined.

Front and back matter in the forms of Project Gutenberg and of plain Markdown collections; the rest is the book.
"""

from __future__ import annotations

import re

_START = re.compile(r"^\s*\*{3}\s*START OF (?:THIS|THE) PROJECT GUTENBERG.*?\*{3}\s*$", re.MULTILINE | re.IGNORECASE)
_END = re.compile(r"^\s*(?:\*{3}\s*)?END OF (?:THIS|THE)? ?PROJECT GUTENBERG.*$", re.MULTILINE | re.IGNORECASE)
_CREDITS = re.compile(r"\A\s*(?:Produced by|E-text prepared by|Transcribed from)\b.*?\n\s*\n", re.DOTALL)
_HEAD = re.compile(r"\A(?:\s*#+\s*(?:Title|Author|Year|Translator|Publisher|Source|Language)\s*:.*\n|\s*\n)+(?:\s*-{3,}\s*\n)?")
_PAGE = re.compile(r"\s*(?:\[?(?:pg|page|p\.)\s*\d{1,4}\]?|[-–—]\s*\d{1,4}\s*[-–—]|\{\d{1,4}\})\s*", re.IGNORECASE)
_HYPHEN = re.compile(r"-\n(?<=[a-zà-ÿ]-\n)[ \t]*(?=[a-zà-ÿ])")
_INDENT = re.compile(r"^[\u3000 \t]+", re.MULTILINE)


def to_text(text: str) -> str:
    """The work alone."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if (start := _START.search(text)) is not None:
        text = _CREDITS.sub("", text[start.end() :], count=1)
    if (end := _END.search(text)) is not None:
        text = text[: end.start()]
    text = _HEAD.sub("", text, count=1)
    text = "\n".join([line for line in text.split("\n") if len(line) > 20 or not _PAGE.fullmatch(line)])
    text = _HYPHEN.sub("", text)
    if "\u3000" in text[:10_000]:
        text = _INDENT.sub("", text)
    return _unwrapped(text) if _is_wrapped(text) else text


def _is_wrapped(text: str) -> bool:
    """Lines of about one width, many of them ending within a sentence: a typewriter's page."""
    lines = [line.rstrip() for line in text[:200_000].split("\n") if line.strip()]
    if len(lines) < 40:
        return False
    full = [line for line in lines if 50 <= len(line) <= 82]
    return len(full) > 0.6 * len(lines) and sum(line[-1].isalpha() or line[-1] == "," for line in full) > 0.5 * len(full)


def _unwrapped(text: str) -> str:
    paragraphs = re.split(r"\n\s*\n", text)
    return "\n\n".join(_joined(paragraph) for paragraph in paragraphs)


def _joined(paragraph: str) -> str:
    """Prose on one line; verse, tables and headings (short or indented lines) as they stand."""
    lines = paragraph.split("\n")
    if len(lines) < 2 or any(line.startswith(("  ", "\t", "#", "|", ">")) for line in lines[1:]) or max(map(len, lines)) < 45:
        return paragraph
    return " ".join(line.strip() for line in lines)
