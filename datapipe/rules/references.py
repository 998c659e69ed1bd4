"""References: the list of works or links that ends a paper, an encyclopedia article or a post. Own rule; arXiv's and
Wikipedia's own markup is cut at extract, this finds what came as plain text or as a page."""

from __future__ import annotations

import re

import numpy as np

from datapipe.rules.lists import own
from datapipe.rules.registry import line_rule
from datapipe.text.view import TextView

_ENTRY = re.compile(
    r"^\s*(?:\[\d{1,3}\]|\(\d{1,3}\)|\^|[⁰¹²³⁴-⁹↑])"  # [12] …
    r"|\b(?:19|20)\d\d[a-z]?\b.*[.,:;，。]|\bdoi\b|\barxiv\b|\bisbn\b|\bissn\b|\bpp?\. ?\d|\bvol\. ?\d|https?://|www\."
    r"|\bet al\b|出版社|\[[jmdcnr](?:/ol)?\]|《[^》]+》.*(?:19|20)\d\d"
)
_PASSED = 1  # lines that do not look like an entry, between two that do: an entry that was wrapped
_LAST = 0.3  # share of a document's lines before which no list of references begins


@line_rule("references.entry", counts=False)
def entry(view: TextView) -> np.ndarray:
    """1 for a heading such as "References" or 参考文献 that is a whole line, and for the entries after it (a number in
    brackets, a year, a DOI, pages, an address), else 0. Only where at least two entries follow, after the first 0.3 of the
    document's lines; what comes after the list stays."""
    found = np.zeros(len(view.lines))
    matches = own("boilerplate", "references").find(view)
    if not len(matches.phrase):
        return found
    owner = view.words_of_lines
    line = owner.owner(matches.words.starts)
    whole = (owner.starts[line] == matches.words.starts) & (owner.ends[line] == matches.words.ends)
    documents = view.lines_of_documents
    for heading in line[whole].tolist():
        document = int(documents.owner(np.array([heading]))[0])
        first, last = int(documents.starts[document]), int(documents.ends[document])
        if heading - first < _LAST * (last - first):
            continue
        entries = _entries(view, heading + 1, last)
        if len(entries) >= 2:
            found[heading : entries[-1] + 1] = 1.0
    return found


def _entries(view: TextView, line: int, last: int) -> list[int]:
    """The lines from one on that look like entries, to the first two in a row that do not."""
    entries: list[int] = []
    passed = 0
    while line < last and passed <= _PASSED:
        text = view.lowered[view.lines.starts[line] : view.lines.ends[line]]
        if _ENTRY.search(text[:500]):
            entries.append(line)
            passed = 0
        else:
            passed += 1
        line += 1
    return entries
