"""Books: what stands before and after the work goes, and so does what belongs to the printed page; broken lines are joined.

Front and back matter in the forms of Project Gutenberg, of plain Markdown collections and of Chinese text collections.
"""

from __future__ import annotations

import re

from datapipe.sources.markups.furniture import (
    joined_words,
    without_broken_lines,
    without_contents,
    without_page_numbers,
    without_repeats,
    without_running_heads,
)

_START = re.compile(
    r"^\s*(?:\*{3}\s*START OF (?:THIS|THE) PROJECT GUTENBERG.*?\*{3}|\*END\*? ?THE SMALL PRINT!.*?)\s*$",
    re.MULTILINE | re.IGNORECASE,
)
_END = re.compile(r"^\s*(?:\*{3}\s*)?END OF (?:THIS|THE)? ?PROJECT GUTENBERG.*$", re.MULTILINE | re.IGNORECASE)
_CREDITS = re.compile(r"\A\s*(?:Produced by|E-text prepared by|Transcribed from|This etext was)\b.*?\n\s*\n", re.DOTALL)
_NOTE = re.compile(r"^\s*\[?Transcriber['’]s Notes?:?.*?(?:\]\s*$|\n\s*\n)", re.MULTILINE | re.DOTALL | re.IGNORECASE)
_HEAD = re.compile(r"\A(?:\s*#+\s*(?:Title|Author|Year|Translator|Publisher|Source|Language)\s*:.*\n|\s*\n)+(?:\s*-{3,}\s*\n)?")
_FINIS = re.compile(
    r"\n[\s*_#(（\u3000]*(?:the end|finis|本[书書]完|全[书書]完|[（(]完[）)])[\s*_.。!！)）\u3000]*\Z", re.IGNORECASE
)
_INDENT = re.compile(r"^[\u3000 \t]+", re.MULTILINE)
_ENDS_SENTENCE = "。！？…」』”’：；）)】》!?.:;"


def to_text(text: str) -> str:
    """The work alone."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n")
    if (start := _START.search(text)) is not None:
        text = _CREDITS.sub("", text[start.end() :], count=1)
    if (end := _END.search(text)) is not None:
        text = text[: end.start()]
    text = _NOTE.sub("", _HEAD.sub("", text, count=1), count=1) if len(text) > 2_000 else _HEAD.sub("", text, count=1)
    text = _FINIS.sub("\n", text)
    text = without_contents(without_running_heads(without_page_numbers(without_broken_lines(text))))
    text = without_repeats(joined_words(text))
    if _is_set_in_columns(text):
        text = _rejoined(text)
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


def _is_set_in_columns(text: str) -> bool:
    """Chinese lines of one width, most of them ending within a sentence: set for a screen of so many characters."""
    lines = [line.rstrip() for line in text[:100_000].split("\n") if line.strip()]
    if len(lines) < 40 or sum("\u4e00" <= line.strip()[0] <= "\u9fff" for line in lines) < 0.5 * len(lines):
        return False
    width = max(map(len, lines))
    full = [line for line in lines if width - 2 <= len(line) <= width]
    broken = sum(line[-1] not in _ENDS_SENTENCE for line in full)
    return 15 <= width <= 80 and len(full) > 0.5 * len(lines) and broken > 0.5 * len(full)


def _rejoined(text: str) -> str:
    """Chinese lines of full width go on with the next one, unless that is indented or empty."""
    lines = text.split("\n")
    width = max(map(len, map(str.rstrip, lines)))
    parts = []
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        goes_on = len(line.rstrip()) >= width - 2 and following.strip() and not following.startswith((" ", "\u3000"))
        parts.append(line.rstrip() if goes_on else f"{line}\n")
    return "".join(parts).rstrip("\n")
