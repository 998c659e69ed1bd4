"""One walk over a page's tree: its lines of text, each with what the markup says about it.

A block is what a browser would set on lines of its own: the text between two boundaries of block-level elements or line breaks.
The walk looks at each element once, so its time is linear in the page; nothing is copied or removed. Beside the blocks
it keeps the elements that hold them as intervals of blocks, from which sums over any container come by subtraction.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from datapipe.sources.page.hints import GROUPS, HIDDEN_STYLE, hints

SKIPPED = frozenset(
    "applet area audio button canvas datalist dialog embed frame frameset head iframe input link map math meta noscript "
    "object optgroup option output param picture progress rp rt rtc script select source style svg template textarea track "
    "video".split()
)
UNSCRIPTED = SKIPPED - {"noscript"}  # as a browser without scripts sees the page
BREAKS = frozenset(("br", "hr"))
BLOCKS = frozenset(
    "address article aside blockquote body caption center dd details dir div dl dt fieldset figcaption figure footer form h1 "
    "h2 h3 h4 h5 h6 header hgroup html legend li listing main menu nav ol p plaintext pre section summary table tbody td tfoot "
    "th thead tr ul xmp".split()
)
PREFORMATTED = frozenset(("pre", "listing", "xmp", "plaintext"))
KINDS = ("p", "li", "heading", "cell", "quote", "pre", "term", "caption", "other")
OTHER, QUOTE = KINDS.index("other"), KINDS.index("quote")
KIND_OF = {
    "p": 0, "li": 1, "h1": 2, "h2": 2, "h3": 2, "h4": 2, "h5": 2, "h6": 2, "td": 3, "th": 3, "blockquote": 4, "pre": 5,
    "listing": 5, "xmp": 5, "dt": 6, "dd": 6, "summary": 6, "caption": 7, "figcaption": 7, "legend": 7,
}  # fmt: skip
REGIONS = ("nav", "aside", "footer", "header", "form", "figure", "article", "main", "table", "list", "section", "heading")
_SHIFT = len(GROUPS)
_BIT = {name: 1 << (_SHIFT + place) for place, name in enumerate(REGIONS)}
REGION_OF = {
    **{name: _BIT[name] for name in REGIONS if name not in ("list", "heading")},
    **dict.fromkeys(("ul", "ol", "dl", "menu", "dir"), _BIT["list"]), "figcaption": _BIT["figure"], "fieldset": _BIT["form"],
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), _BIT["heading"]),
}  # fmt: skip
FLAGS = (*GROUPS, *REGIONS)
HIDDEN = 1 << list(GROUPS).index("hidden")


@dataclass
class Blocks:
    """The blocks of a page in order, one entry a block in each list, and their containers.

    flags: bits of FLAGS, inherited from all elements around a block; own: those of the two innermost alone. container: place
    of the innermost block-level element in first/end/parent/shape. row: the table row that a cell is in, else 0.
    """

    text: list[str] = field(default_factory=list)
    linked: list[int] = field(default_factory=list)
    links: list[int] = field(default_factory=list)
    kind: list[int] = field(default_factory=list)
    flags: list[int] = field(default_factory=list)
    own: list[int] = field(default_factory=list)
    container: list[int] = field(default_factory=list)
    row: list[int] = field(default_factory=list)
    depth: list[int] = field(default_factory=list)
    after_break: list[bool] = field(default_factory=list)
    first: list[int] = field(default_factory=list)
    end: list[int] = field(default_factory=list)
    parent: list[int] = field(default_factory=list)
    shape: list[str] = field(default_factory=list)
    elements: int = 0
    deepest: int = 0


def walk(root: Any, most: int = 1 << 60, skipped: frozenset[str] = SKIPPED) -> Blocks:
    """The blocks of a parsed page (an lxml element without comments and processing instructions); ends past `most` elements,
    passes over those of the tags `skipped`."""
    made = Blocks()
    texts, first, end, parent, shape = made.text, made.first, made.end, made.parent, made.shape
    rows: list[tuple[Any, ...]] = []
    pieces: list[str] = []
    add = pieces.append
    linked = links = in_link = row = flags = inner = own = depth = elements = container = 0
    kind, pre, broken = OTHER, False, False
    for column, value in ((first, 0), (end, 0), (parent, 0)):
        column.append(value)
    shape.append("")

    def flush() -> None:
        nonlocal linked, links, broken
        whole = "".join(pieces)
        pieces.clear()
        text = whole.strip("\r\n").expandtabs(4).rstrip() if pre else " ".join(whole.split())
        if text and not text.isspace():
            texts.append(text)
            rows.append((linked, links, kind, flags, own, container, row, depth, broken))
            linked = links = 0
            broken = False

    stack: list[tuple[Any, ...]] = []  # what is open around the element: its siblings to come, and all of the state above
    children, element, name = iter((root,)), None, ""
    while True:
        child = next(children, None)
        if child is None:
            if element is None:
                break
            if name in BLOCKS:
                if pieces:
                    flush()
                end[container] = len(texts)
            elif name == "a":
                in_link -= 1
            tail = element.tail
            children, element, name, flags, inner, own, kind, container, row, pre = stack.pop()
            depth -= 1
        else:
            elements += 1
            if elements > most:
                break
            tag = child.tag
            if tag in skipped:
                if tag == "math" and (formula := _formula(child)):
                    add(formula)
                tail = child.tail
            elif tag in BREAKS:
                if pre:
                    add("\n")
                else:
                    if pieces:
                        flush()
                    broken = True
                tail = child.tail
            else:
                is_block, is_link, text = tag in BLOCKS, tag == "a", child.text
                if not is_block and not len(child):  # most elements: no need to go down
                    if text:
                        add(text)
                        if is_link or in_link:
                            linked += len(text.strip())
                            links += is_link
                    tail = child.tail
                else:
                    stack.append((children, element, name, flags, inner, own, kind, container, row, pre))
                    children, element, name = iter(child), child, tag
                    depth += 1
                    if depth > made.deepest:
                        made.deepest = depth
                    if is_block:
                        if pieces:
                            flush()
                        label, said = _said(child, tag)
                        own, inner = inner | said, said
                        flags |= said
                        kind = KIND_OF.get(tag, QUOTE if kind == QUOTE else OTHER)
                        if tag == "tr":
                            row = len(first)
                        elif tag == "table":
                            row = 0
                        pre = pre or tag in PREFORMATTED
                        parent.append(container)
                        container = len(first)
                        first.append(len(texts))
                        end.append(0)
                        shape.append(f"{tag} {label}")
                    elif is_link:
                        in_link += 1
                        links += 1
                    if text and (pieces or pre or not text.isspace()):
                        add(text)
                        if in_link:
                            linked += len(text.strip())
                    continue
        if tail and (pieces or pre or not tail.isspace()):
            add(tail)
            if in_link:
                linked += len(tail.strip())
    if pieces:
        flush()
    end[0] = len(texts)
    made.elements = elements
    columns: tuple[list[Any], ...] = (
        made.linked, made.links, made.kind, made.flags, made.own, made.container, made.row, made.depth, made.after_break,
    )  # fmt: skip
    for column, values in zip(columns, zip(*rows, strict=True), strict=False):
        column.extend(values)
    return made


def _said(element: Any, tag: str) -> tuple[str, int]:
    """The class of an element, and its bits: its tag's, its names', and whether it is hidden."""
    said = REGION_OF.get(tag, 0)
    label = identity = role = part = ""
    for name, value in element.items():
        if name == "class":
            label = value
        elif name == "id":
            identity = value
        elif name == "role":
            role = value
        elif name == "itemprop":
            part = value
        elif (
            name == "hidden"
            or (name == "aria-hidden" and value == "true")
            or (name == "style" and HIDDEN_STYLE.search(value) is not None)
        ):
            said |= HIDDEN
    if label or identity or role or part:
        said |= hints(f"{label} {identity} {role} {part}")
    return label, said


def _formula(element: Any) -> str:
    """The LaTeX source that MathML carries (its annotation, else its alttext), between delimiters; empty if it has none."""
    for annotation in element.iter("{*}annotation", "annotation"):
        if annotation.get("encoding") == "application/x-tex" and annotation.text:
            source = annotation.text
            break
    else:
        source = element.get("alttext") or ""
    source = " ".join(source.split())
    if not source:
        return ""
    return f" \\[{source}\\] " if element.get("display") == "block" else f" \\({source}\\) "
