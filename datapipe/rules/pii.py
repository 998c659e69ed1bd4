"""Personal data in text: found by shape, confirmed by checksum where one exists, replaced and counted.

What replaces it keeps the text's form and cannot be anyone's: an address at a domain reserved for examples (RFC 2606), an IP
address reserved for documentation (RFC 5737, RFC 3849), and for numbers a zero for every digit. Candidates are found on the
shared view (runs of digits, signs "@"), so that text without any costs next to nothing. Full-width forms, as Chinese pages have
them, are read as their ASCII twins.
"""

from __future__ import annotations

import ipaddress
import re
import string
from collections.abc import Callable, Collection

import numpy as np
from numpy.typing import NDArray

from datapipe.text.characters import LETTER
from datapipe.text.spans import Spans
from datapipe.text.view import TextView

_IN_NUMBERS = string.ascii_letters + string.digits + "@-+()."
_WIDE = np.array([ord(sign) + 0xFEE0 for sign in _IN_NUMBERS], np.uint32)

Codes = NDArray[np.uint32]
Found = tuple[int, int, str, str]
"""Start and end in the glued text, kind, replacement."""

_EMAIL_BEFORE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._%+\-]{0,63}\Z")
_EMAIL_AFTER = re.compile(r"@(?:[A-Za-z0-9](?:[A-Za-z0-9\-]{0,61}[A-Za-z0-9])?\.){1,6}[A-Za-z]{2,24}(?![A-Za-z0-9\-])")
_EXAMPLE_HOSTS = ("example.com", "example.org", "example.net")

_ZH_ID = re.compile(r"(?<!\d)[1-9]\d{5}([ \-]?)(?:18|19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\1\d{3}[\dXx](?!\d)")
_CARD = re.compile(
    r"(?<![\d.\-])(?:[3-6]\d{12,18}"
    r"|[3-6]\d{3}([ .\-])\d{4}\1\d{4}\1\d{4}(?:\1\d{1,3})?"
    r"|3[47]\d{2}([ .\-])\d{6}\2\d{5}|62\d{4}[ \-]\d{10,13}"  # as American Express and UnionPay print them
    r")(?![\d\-])"
)
_ZH_MOBILE = re.compile(r"(?<![\d.\-])(?:(?:\+|00)?86[ \-]?)?1[3-9]\d([ .\-]?)\d{4}\1\d{4}(?![\d\-])")
_IPV4 = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.]*\d)")
_IPV6 = re.compile(r"(?<![0-9A-Za-z_:.])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![0-9A-Za-z_:])")
_PHONE = re.compile(
    r"(?<![\d.\-])(?:"
    r"\+\d{1,3}[ .\-]?(?:\(\d{1,4}\)[ .\-]?)?\d{1,4}(?:[ .\-]?\d{2,4}){2,4}"  # +49 30 1234567
    r"|(?:1[ .\-])?(?:\(\d{3}\) ?\d{3}[ .\-]|\d{3}[.\-]\d{3}[.\-])\d{4}"  # (212) 555-0123, 212-555-0123
    r"|00\d{1,3}[ \-]\d{1,4}[ \-]\d{3,4}[ \-]?\d{4}"  # 0086-21-61234567
    r"|0\d{2,3}-\d{3,4}[ \-]?\d{4}(?:-\d{1,4})?|\(0\d{2,3}\) ?\d{7,8}|[48]00-\d{3,4}-\d{3,4}"  # Chinese ones
    r")(?![\d\-])"
)


def replace(view: TextView, documents: Collection[int], kinds: Collection[str]) -> dict[int, tuple[str, dict[str, int]]]:
    """The text of those of some documents that hold personal data of these kinds, with it replaced, and its count by kind."""
    wanted = set(documents)
    found = sorted(_find(view, frozenset(kinds)))
    edits: dict[int, list[Found]] = {}
    for entry in found:
        document = int(view.documents.owner(np.array([entry[0]]))[0])
        if document in wanted and (document not in edits or entry[0] >= edits[document][-1][1]):
            edits.setdefault(document, []).append(entry)
    return {document: _rewritten(view, document, entries) for document, entries in edits.items()}


def _rewritten(view: TextView, document: int, entries: list[Found]) -> tuple[str, dict[str, int]]:
    text, offset = view.text(document), int(view.documents.starts[document])
    pieces, at = [], 0
    counts: dict[str, int] = {}
    for start, end, kind, replacement in entries:
        pieces += [text[at : start - offset], replacement]
        at = end - offset
        counts[kind] = counts.get(kind, 0) + 1
    return "".join([*pieces, text[at:]]), counts


def _find(view: TextView, kinds: frozenset[str]) -> list[Found]:
    codes = _ascii(view.codes)
    found: list[Found] = []
    if "email" in kinds:
        found += _emails(view, codes)
    if "ipv6" in kinds:
        found += _ipv6(view, codes)
    numbers = [entry for entry in _NUMBERS if entry[0] in kinds]
    if numbers:
        for start, end in _digit_runs(view, codes):
            run = _slice(codes, start, end)
            taken = [False] * len(run)
            for kind, pattern, valid in numbers:
                for match in pattern.finditer(run):
                    if valid(match.group()) and not any(taken[match.start() : match.end()]):
                        taken[match.start() : match.end()] = [True] * (match.end() - match.start())
                        first, last = start + match.start(), start + match.end()
                        found.append((first, last, kind, _neutral(kind, _slice(view.codes, first, last))))
    return found


def _ascii(codes: Codes) -> Codes:
    """The same with full-width digits, letters and signs inside numbers and addresses as the ASCII characters they stand for.

    Commas and colons are not among them: in Chinese text they stand around a number, not in it.
    """
    wide = (codes >= 0xFF01) & (codes <= 0xFF5E)
    return np.where(wide & np.isin(codes, _WIDE), codes - 0xFEE0, codes).astype(np.uint32) if wide.any() else codes


def _emails(view: TextView, codes: Codes) -> list[Found]:
    found: list[Found] = []
    for at in np.flatnonzero(codes == ord("@")).tolist():
        document = int(view.documents.owner(np.array([at]))[0])
        first, last = int(view.documents.starts[document]), int(view.documents.ends[document])
        before = _EMAIL_BEFORE.search(_slice(codes, max(first, at - 64), at))
        after = _EMAIL_AFTER.match(_slice(codes, at, min(last, at + 256)))
        if before and after and not after.group().lower().endswith(_EXAMPLE_HOSTS):
            found.append((at - len(before.group()), at + after.end(), "email", "email@example.com"))
    return found


def _ipv6(view: TextView, codes: Codes) -> list[Found]:
    """Addresses of IPv6 around pairs of colons that a hexadecimal group at most stands between."""
    colons = np.flatnonzero(codes == ord(":"))
    near = np.flatnonzero(np.diff(colons) <= 5) if len(colons) > 1 else colons[:0]
    found: dict[tuple[int, int], Found] = {}
    for at in colons[near].tolist():
        document = int(view.documents.owner(np.array([at]))[0])
        first = max(int(view.documents.starts[document]), at - 40)
        window = _slice(codes, first, min(int(view.documents.ends[document]), at + 40))
        for match in _IPV6.finditer(window):
            if match.start() <= at - first < match.end() and is_public_ipv6(match.group()):
                span = first + match.start(), first + match.end()
                found[span] = (*span, "ipv6", "2001:db8::1")
    return list(found.values())


def _digit_runs(view: TextView, codes: Codes) -> list[tuple[int, int]]:
    """Runs of ASCII digits and what may stand between those of one number, with enough digits to be one."""
    digit = (codes >= 48) & (codes <= 57)
    inside = digit.copy()
    for separator in " -.()+":
        inside |= codes == ord(separator)
    for letter in "Xx":  # the last place of a Chinese identity number
        inside[1:] |= (codes[1:] == ord(letter)) & digit[:-1]
    edges = np.flatnonzero(np.diff(np.concatenate([[False], inside, [False]]).astype(np.int8)))
    runs = Spans(edges[::2], edges[1::2])
    digits = runs.count(digit)
    enough = (digits >= 7) | ((digits >= 4) & (runs.count(codes == ord(".")) >= 3))
    # A letter on either side makes it a part of a name (a product, a hash), unless the script has no spaces
    touching = view.having(LETTER) & (codes < 0x2E80)
    kept = [(int(start), int(end)) for start, end in zip(runs.starts[enough], runs.ends[enough], strict=True)]
    return [_without_glued_ends(start, end, digit, touching) for start, end in kept]


def _without_glued_ends(start: int, end: int, digit: np.ndarray, letter: np.ndarray) -> tuple[int, int]:
    """The run without a number at either end that touches a letter."""
    if start > 0 and letter[start - 1]:
        while start < end and digit[start]:
            start += 1
    if end < len(digit) and letter[end]:
        while end > start and digit[end - 1]:
            end -= 1
    return start, end


def _slice(codes: Codes, start: int, end: int) -> str:
    return codes[start:end].tobytes().decode("utf-32-le", "surrogatepass")


def _neutral(kind: str, text: str) -> str:
    return "192.0.2.1" if kind == "ip" else re.sub(r"[\dXxＸｘ]", "0", text)


def is_chinese_id(number: str) -> bool:
    """The check character of an identity number of the PRC (GB 11643-1999, ISO 7064 MOD 11-2), in one piece or in three."""
    number = re.sub(r"[ \-]", "", number)
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(weight * int(digit) for weight, digit in zip(weights, number[:17], strict=True))
    return "10X98765432"[total % 11] == number[17].upper()


def is_card(number: str) -> bool:
    """Luhn's check digit (ISO/IEC 7812) over 13 to 19 digits, more than two of them different."""
    digits = [int(character) for character in number if character.isdigit()]
    doubled = [digit if place % 2 == 0 else sum(divmod(2 * digit, 10)) for place, digit in enumerate(reversed(digits))]
    return 13 <= len(digits) <= 19 and len(set(digits)) > 2 and sum(doubled) % 10 == 0


def is_public_address(text: str) -> bool:
    """An IPv4 address that routes on the public Internet, with a part of 20 or more: 1.2.3.4 is a section or a version."""
    try:
        return ipaddress.IPv4Address(text).is_global and max(map(int, text.split("."))) >= 20
    except ValueError:
        return False


def is_public_ipv6(text: str) -> bool:
    """An IPv6 address that routes on the public Internet, of at least three groups: "a::b" is as often an operator."""
    try:
        return ipaddress.IPv6Address(text).is_global and sum(map(bool, text.split(":"))) >= 3
    except ValueError:
        return False


def _any(_: str) -> bool:
    return True


def _is_phone(text: str) -> bool:
    return 8 <= sum(character.isdigit() for character in text) <= 15


# In the order in which they claim a run of digits: the more specific first
_NUMBERS: tuple[tuple[str, re.Pattern[str], Callable[[str], bool]], ...] = (
    ("zh_id", _ZH_ID, is_chinese_id),
    ("bank_card", _CARD, lambda text: is_card(text) and not _ZH_ID.fullmatch(text)),  # one with a slip of the pen is no card
    ("zh_mobile", _ZH_MOBILE, _any),
    ("ip", _IPV4, is_public_address),
    ("phone", _PHONE, _is_phone),
)
