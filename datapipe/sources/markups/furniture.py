"""What a printer or a scanner puts around a text: page numbers, running heads, tables of contents, words cut at line ends.

Each function takes a text and gives it back without one of them. They look for what a whole book shows (numbers that rise
from page to page, lines that come back with another number, a list whose entries return as headings), so that a line is never
removed for its looks alone.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from itertools import pairwise

_MARKED = re.compile(
    r"\s*(?:\[?(?:pg|page|p\.)\s*\d{1,4}\]?|[-–—]\s*\d{1,4}\s*[-–—]|\{\d{1,4}\}|第\s*\d{1,4}\s*[页頁])\s*", re.IGNORECASE
)
_NUMBER = re.compile(r"\s*\d{1,4}\s*")
_HEAD_LEFT = re.compile(r"\s*(\d{1,4})\s+(\S.{1,70}?)\s*")
_HEAD_RIGHT = re.compile(r"\s*(\S.{1,70}?)\s+(\d{1,4})\s*")
_PAGES = 10  # fewer numbers than this are no page numbers
_LEAST_PAGE, _MOST_PAGE = 200, 6_000  # characters between two page numbers; lines of a list are nearer, chapters further
_CHAPTER = re.compile(r"(?:chapter|book|part|act|scene|section|canto|letter|volume|no\.?|§|第)\W*", re.IGNORECASE)
_HEADS = 5  # a running head comes back at least so often
_CONTENTS = re.compile(r"^[#*_\s]*(?:(?:table of )?contents|目[ \t\u3000]*[录錄次])[*_:：\s]*$", re.IGNORECASE)
_ENTRY_PAGE = re.compile(r"[\s.·…\-—_]*\d{0,4}\s*$")
_NUMBERED = re.compile(
    r"[\s#*_\u3000]*(?:第\s*[一二三四五六七八九十百零〇\d]{1,6}\s*[回章卷节節]|chapter\b|book\b|[IVXLC]{1,7}\.)", re.IGNORECASE
)
_BEGINNING, _LONGEST_CONTENTS = 400, 400  # lines
_BROKEN = re.compile(r"\(cid:\d+\)|[\ufffd\ue000-\uf8ff\u25a1]")
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_CUT_WORD = re.compile(r"([^\W\d_]+)-\n[ \t]*([^\W\d_]+)")


def without_page_numbers(text: str) -> str:
    """The text less lines that hold a page number: marked as one ("Pg 12"), or a bare number in a rising row of them."""
    lines = text.split("\n")
    bare = {number for number, line in enumerate(lines) if len(line) <= 12 and _NUMBER.fullmatch(line)}
    if len(bare) >= _PAGES and not _are_pages(lines, sorted(bare)) or len(bare) < _PAGES:
        bare = set()
    kept = [line for number, line in enumerate(lines) if number not in bare and (len(line) > 20 or not _MARKED.fullmatch(line))]
    return "\n".join(kept)


def _are_pages(lines: list[str], places: list[int]) -> bool:
    """Whether numbers rise by one or two in nine of ten steps, about a page of text apart."""
    numbers = [int(lines[place]) for place in places]
    rising = sum(0 < later - earlier <= 2 for earlier, later in pairwise(numbers))
    return rising >= 0.9 * (len(numbers) - 1) and _LEAST_PAGE <= _gap(lines, places) <= _MOST_PAGE


def _gap(lines: list[str], places: list[int]) -> int:
    """Characters between two of these lines and the next, in the middle case."""
    gaps = sorted(sum(map(len, lines[start:end])) for start, end in pairwise(places))
    return gaps[len(gaps) // 2]


def without_running_heads(text: str) -> str:
    """The text less lines of a title and a page number, on whichever side, that come back with a higher number page by page."""
    lines = text.split("\n")
    found: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for place, line in enumerate(lines):
        if 4 <= len(line) <= 80:
            if (left := _HEAD_LEFT.fullmatch(line)) is not None:
                found[left.group(2)].append((place, int(left.group(1))))
            elif (right := _HEAD_RIGHT.fullmatch(line)) is not None:
                found[right.group(1)].append((place, int(right.group(2))))
    heads = {
        place
        for title, seen in found.items()
        if len(seen) >= _HEADS and all(earlier[1] < later[1] for earlier, later in pairwise(seen))
        if not _CHAPTER.fullmatch(title) and _LEAST_PAGE <= _gap(lines, [place for place, _ in seen]) <= 2 * _MOST_PAGE
        for place, _ in seen
    }
    return "\n".join([line for place, line in enumerate(lines) if place not in heads]) if heads else text


def without_contents(text: str) -> str:
    """The text less a table of contents: its heading, if any, and the lines after it as long as they come back as lines."""
    lines = text.split("\n")
    later: dict[str, int] = {}
    for place, line in enumerate(lines):
        later[_entry(line)] = place
    start = next((place for place, line in enumerate(lines[:_BEGINNING]) if _CONTENTS.match(line)), None)
    if start is None and (start := _list_of_chapters(lines, later)) is None:
        return text
    end, misses = start + 1, 0
    listed: set[str] = set()
    for place in range(start + 1, min(len(lines), start + 1 + _LONGEST_CONTENTS)):
        entry = _entry(lines[place])
        if entry in listed:
            break  # the first of them comes back: the text begins
        if not entry:
            continue
        if len(entry) <= 80 and later.get(entry, place) > place:
            end, misses = place + 1, 0
            listed.add(entry)
        elif (misses := misses + 1) > 2:
            break
    return "\n".join([*lines[: max(0, start)], *lines[end:]]) if end > start + 2 else text


def _list_of_chapters(lines: list[str], later: dict[str, int]) -> int | None:
    """The line before the first of five that come back as headings of chapters, with nothing but empty lines between them."""
    run: list[int] = []
    for place, line in enumerate(lines[:_BEGINNING]):
        if not line.strip():
            continue
        comes_back = _NUMBERED.match(line) and later.get(_entry(line), place) > place
        run = [*run, place] if comes_back else []
        if len(run) == 5:
            return run[0] - 1
    return None


def _entry(line: str) -> str:
    """A line of a table of contents as its heading has it, less dots and page: to compare them."""
    return re.sub(r"[\s#*_\u3000]+", "", _ENTRY_PAGE.sub("", line))


def without_broken_lines(text: str) -> str:
    """The text less lines of which a tenth or more is what a failed extraction leaves: (cid:12), boxes, private characters. In
    scanned books those are mostly formulas."""
    if not _BROKEN.search(text):
        return text
    return "\n".join([line for line in text.split("\n") if sum(map(len, _BROKEN.findall(line))) <= 0.1 * len(line)])


def joined_words(text: str) -> str:
    """Words cut at a line's end in one piece; the hyphen stays where the text elsewhere writes the word with it, or knows both
    of its parts but not the whole."""
    if "-\n" not in text:
        return text
    known = Counter(word.lower() for word in _WORD.findall(text))
    known.subtract(part.lower() for cut in _CUT_WORD.finditer(text) for part in cut.groups())

    def joined(match: re.Match[str]) -> str:
        first, second = match.groups()
        whole, hyphenated = f"{first}{second}", f"{first}-{second}"
        if not second[0].islower():
            return match.group()
        if known[whole.lower()] > 0:
            return whole
        parts = known[first.lower()] > 0 and known[second.lower()] > 0
        return hyphenated if parts or known[hyphenated.lower()] > 0 else whole

    return _CUT_WORD.sub(joined, text)


def without_repeats(text: str, least: int = 120) -> str:
    """The text less paragraphs of `least` characters (half as many of Han) that stood in it before: pages scanned twice."""
    seen: set[str] = set()
    kept = []
    for paragraph in re.split(r"(\n\s*\n)", text):
        form = "".join(paragraph.split())
        if len(form) >= (least if form.isascii() else least // 2):
            if form in seen:
                continue
            seen.add(form)
        kept.append(paragraph)
    return "".join(kept)
