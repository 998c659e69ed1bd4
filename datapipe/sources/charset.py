"""Bytes to text: what a page declares is a hint, what its bytes can be is evidence.

The order follows the WHATWG Encoding Standard where that is safe (byte order mark first; labels mean what browsers take
them to mean: gb2312 is gb18030, iso-8859-1 is windows-1252, shift_jis is windows-31j) and departs from it where real
crawls do: bytes that are valid UTF-8 are UTF-8 whatever is declared, since servers and archives transcode pages and
leave the label; and a declared encoding in which the bytes make no plausible text is passed over for the one in which
they do. Plausibility needs no model: common characters sit in known rows of the East Asian charts, and each European
language has its own few letters beyond ASCII.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

_SAMPLE = 1 << 16  # bytes looked at when encodings are compared; the whole is decoded once, with the best one
_ACCEPTED = 0.80  # a declared encoding with at least this plausibility is believed
_BROKEN = 0.02  # share of undecodable characters at which an encoding is out

_BROWSER = {
    "ascii": "cp1252", "iso8859-1": "cp1252", "iso8859-9": "cp1254", "iso8859-11": "cp874", "tis-620": "cp874",
    "gb2312": "gb18030", "gbk": "gb18030", "hz": "gb18030", "big5": "big5hkscs", "cp950": "big5hkscs",
    "shift_jis": "cp932", "shift_jis_2004": "cp932", "shift_jisx0213": "cp932", "euc_jisx0213": "euc_jp", "euc_kr": "cp949",
}  # fmt: skip
_LABELS = {"x-sjis": "cp932", "x-gbk": "gb18030", "windows-31j": "cp932", "x-euc-jp": "euc_jp", "x-cp1251": "cp1251",
           "ks_c_5601-1987": "cp949", "x-big5": "big5hkscs", "unicode": "utf-16", "windows-949": "cp949"}  # fmt: skip
_CANDIDATES = ("gb18030", "big5hkscs", "cp932", "euc_jp", "cp949", "cp1252", "cp1250", "cp1251", "iso8859-2", "koi8-u",
               "iso8859-15", "iso8859-5", "cp1254", "cp1253", "cp866")  # fmt: skip
_DOUBLE = {"gb18030", "big5hkscs", "cp932", "euc_jp", "cp949"}

_LETTERS = {
    "de nl": "äöüßéèëï",
    "fr": "àâæçéèêëîïôùûüÿœ",
    "es ca": "áéíñóúüàèòïç¿¡ªº·",
    "pt": "áâãàçéêíóôõúü",
    "it": "àèéìíòóùú",
    "da sv": "åäöéæøáü",
    "cs sk": "áäčďéěíĺľňóôŕřšťúůýž",
    "pl": "ąćęłńóśźż",
    "hu": "áéíóöőúüű",
    "ro": "ăâîșțşţ",
    "hr sl": "čćđšž",
    "tr": "çğıöşüİâî",
    "el": "αβγδεζηθικλμνξοπρστυφχψωςάέήίόύώϊϋ",
    "ru bg uk sr": "абвгдежзийклмнопрстуфхцчшщъыьэюяёіїєґђјљњћџ",
}
_PUNCTUATION = set("«»„“”‘’‚–—…·•°§©®№€£´ ™½²³")
_COMMON_HAN = set("的一是不了在人有我他這这个個們们中来來上大为為和国國地到以說说時时")
_COMMON_HAN |= set("要就出會会也你對对生能而子那得於于下自之年後后作里日月者曰無无所與与其此乃何吾")
_COMMON_CYRILLIC = set("оеаинтсрвлкмдпуяыьгзбчй")

_META = re.compile(
    rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([A-Za-z0-9_\-.:]{2,40})|<\?xml[^>]{0,100}?encoding\s*=\s*["']([A-Za-z0-9_\-.:]{2,40})""",
    re.IGNORECASE,
)
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


@dataclass(frozen=True)
class Decoded:
    """Text, the Python name of its encoding, how that was found (bom, utf-8, declared, detected, none), the share lost."""

    text: str
    encoding: str
    how: str
    lost: float = 0.0


def control_share(text: str) -> float:
    """Share of control characters at a text's beginning; above a few in a hundred it is no text at all."""
    return len(_CONTROLS.findall(text[:20_000])) / max(1, len(text[:20_000]))


@lru_cache(maxsize=512)
def normalise(label: str) -> str | None:
    """The Python codec for a declared label, read as a browser reads it; None for a label nobody knows."""
    name = label.strip().strip("\"'").lower()
    if name in _LABELS:
        return _LABELS[name]
    try:
        found = codecs.lookup(name).name
        "".encode(found)  # codecs such as base64 are found too, but are no encodings of text
    except (LookupError, ValueError, TypeError):
        return None
    return _BROWSER.get(found, found)


def declared_in(html: bytes) -> list[str]:
    """The labels that a page's first 4 KB declare (meta charset, meta http-equiv, XML declaration), in order."""
    return [(meta or xml).decode("ascii") for meta, xml in _META.findall(html[:4096])]


def decode(data: bytes, declared: Iterable[str] = ()) -> Decoded:
    """The text of these bytes; `declared` holds labels, the most trusted first. Never raises: what is lost is counted."""
    for mark, name in _BOMS:
        if data.startswith(mark):
            return _read(data[len(mark) :], name, "bom")
    if b"\x1b$" in data[:_SAMPLE] and data[:_SAMPLE].isascii():
        return _read(data, "iso2022_jp", "detected")
    known = [name for name in map(normalise, declared) if name]
    if b"\0" in data[:2000] and _looks_utf16(data):
        return _read(data, "utf-16-be" if data[:1] == b"\0" else "utf-16-le", "detected")
    if data.isascii():
        return Decoded(data.decode("ascii"), "ascii", "utf-8")
    try:
        return _undo(data.decode("utf-8"), known) or Decoded(data.decode("utf-8"), "utf-8", "utf-8")
    except UnicodeDecodeError:
        pass
    if any(name.startswith("utf-16") for name in known):
        return _read(data, "utf-16-be" if data[:1] == b"\0" else "utf-16-le", "declared")
    sample = _without_tags(data[: 4 * _SAMPLE])[:_SAMPLE]
    if _utf8_share(sample) >= (0.5 if "utf-8" in known else 0.75):  # UTF-8 with some broken characters, the most common damage
        return _read(data, "utf-8", "declared" if "utf-8" in known else "utf-8")
    for name in known:
        if name != "utf-8" and plausibility(sample, name) >= _ACCEPTED:
            return _read(data, name, "declared")
    scores = {name: plausibility(sample, name) for name in dict.fromkeys([*known, *_CANDIDATES]) if name != "utf-8"}
    best = max(scores, key=lambda name: scores[name])
    if scores[best] < 0.5:
        return _read(data, known[0] if known else "utf-8", "none")
    return _read(data, best, "declared" if best in known else "detected")


def _undo(text: str, known: list[str]) -> Decoded | None:
    """East Asian text that someone took for Latin-1 and stored as UTF-8, perhaps twice: read as what the page declares."""
    double = [name for name in known if name in _DOUBLE]
    beyond = [character for character in text[:_SAMPLE] if character > "\x7f"] if double else []
    if not beyond or sum(character <= "\xff" for character in beyond) < 0.6 * len(beyond):
        return None
    for single in ("cp1252", "iso8859-15"):
        data = _bytes_of(text, single)
        for _ in range(2):
            if plausibility(_without_tags(data[: 4 * _SAMPLE])[:_SAMPLE], double[0]) >= _ACCEPTED:
                return _read(data, double[0], "declared")
            if _utf8_share(data[:_SAMPLE]) < 0.9:
                break
            data = _bytes_of(data.decode("utf-8", "replace"), single)
    return None


def _bytes_of(text: str, single: str) -> bytes:
    """The bytes that a single-byte encoding once turned into this text; what it leaves undefined passed as Latin-1."""
    return text.encode(single, "as-latin-1")


def _as_latin_1(error: UnicodeError) -> tuple[bytes, int]:
    assert isinstance(error, UnicodeEncodeError)
    return error.object[error.start : error.end].encode("latin-1", "replace"), error.end


codecs.register_error("as-latin-1", _as_latin_1)


def plausibility(sample: bytes, encoding: str) -> float:
    """How much of the text beyond ASCII is what text in that encoding is made of, from 0 to 1."""
    text = sample.decode(encoding, "replace")
    beyond = [character for character in text if character > "\x7f"]
    if not beyond:
        return 0.0
    broken = text.count("\ufffd") / len(beyond)
    if broken > _BROKEN + 1 / len(beyond):  # a cut at the end of the sample breaks one
        return 0.0
    good = _east_asian(beyond, encoding) if encoding in _DOUBLE else _european(text, beyond)
    return max(0.0, good - 2 * broken)


def _east_asian(beyond: list[str], encoding: str) -> float:
    """Share of characters in the common rows: kana, Hangul, the frequency-ordered first level of Han, and punctuation.

    Korean bytes read as Chinese give none of the words that every Chinese text is full of, read as Japanese give no kana:
    both are held against those readings.
    """
    common, kana, han = 0.0, 0, 0
    for character in beyond:
        point = ord(character)
        if 0x3000 <= point <= 0x3002 or 0xFF01 <= point <= 0xFF5E or 0x300A <= point <= 0x3011 or 0x2014 <= point <= 0x2026:
            common += 1
        elif 0x4E00 <= point <= 0x9FFF:
            level = _first_level(character, encoding)
            common += level if encoding != "cp949" else 0.3 * level
            han += 1
        elif 0x3040 <= point <= 0x30FF:
            kana += 1
            common += 1 if encoding in ("cp932", "euc_jp") else 0.3
        elif 0xAC00 <= point <= 0xD7A3 and encoding == "cp949":
            common += _first_level(character, "euc_kr")
    share = common / len(beyond)
    if encoding in ("cp932", "euc_jp"):
        share *= 0.7 + 0.3 * min(1.0, kana / len(beyond) / 0.1)
    if encoding in ("gb18030", "big5hkscs") and han >= 20:
        words = sum(character in _COMMON_HAN for character in beyond)
        share *= 0.75 + 0.25 * min(1.0, words / han / 0.05)
    return share


@lru_cache(maxsize=1 << 16)
def _first_level(character: str, encoding: str) -> float:
    narrow, low, high = {
        "gb18030": ("gb2312", 0xB0, 0xD7), "big5hkscs": ("big5", 0xA4, 0xC6), "cp932": ("euc_jp", 0xB0, 0xCF),
        "euc_jp": ("euc_jp", 0xB0, 0xCF), "cp949": ("euc_kr", 0xCA, 0xFD), "euc_kr": ("euc_kr", 0xB0, 0xC8),
    }[encoding]  # fmt: skip
    try:
        lead = character.encode(narrow)[0]
    except UnicodeEncodeError:
        return 0.0
    return float(low <= lead <= high)


def _european(text: str, beyond: list[str]) -> float:
    """The best share, over languages, of characters in that language's alphabet; capitals inside words count against."""
    folded = [character.lower() for character in beyond]
    best = 0.0
    for name, letters in _LETTERS.items():
        good = sum(character in letters or character in _PUNCTUATION for character in folded) / len(folded)
        if name == "ru bg uk sr" and good > best:
            good *= 0.5 + 0.5 * min(1.0, sum(character in _COMMON_CYRILLIC for character in folded) / len(folded) / 0.75)
        best = max(best, good)
    runs = max(1, sum(1 for character in beyond if character.isalpha()))
    inside = len(re.findall(r"[a-zß-öø-ÿа-яёα-ω][A-ZÀ-ÖØ-ÞА-ЯЁĄĆĘŁŃŚŹŻŠŽ]", text)) - len(re.findall(r"[a-z][A-Z]", text))
    return best - min(0.5, 2 * max(0, inside) / runs)


def _utf8_share(sample: bytes) -> float:
    """Of the characters beyond ASCII, the share that are well-formed UTF-8."""
    text = sample.decode("utf-8", "replace")
    beyond = sum(character > "\x7f" for character in text)
    return 1 - text.count("\ufffd") / beyond if beyond else 0.0


def _looks_utf16(data: bytes) -> bool:
    head = data[:2000]
    return len(head) >= 4 and max(head[::2].count(0), head[1::2].count(0)) > 0.4 * (len(head) // 2)


def _without_tags(data: bytes) -> bytes:
    """A page's text matters for its encoding, not its markup and scripts; plain text passes unchanged."""
    if b"<" not in data[:2048]:
        return data
    bare = re.sub(rb"(?is)<(script|style)\b.*?</\1\s*>|<[^>]*>", b" ", data)
    return bare if len(bare) - bare.count(b" ") > 200 else data


def _stray(error: UnicodeError) -> tuple[str, int]:
    """A single bad byte in UTF-8 is mostly windows-1252 pasted in; longer damage becomes one replacement character."""
    assert isinstance(error, UnicodeDecodeError)
    bad = error.object[error.start : error.end]
    following = error.object[error.end : error.end + 1]
    if len(bad) == 1 and bad[0] >= 0xA0 and following.isascii():
        return bad.decode("cp1252"), error.end
    return "\ufffd", error.end


codecs.register_error("stray", _stray)


def _read(data: bytes, name: str, how: str) -> Decoded:
    if name == "big5hkscs":  # two extensions of Big5 fill the same holes: take the one that fits
        text = min((data.decode(each, "replace") for each in ("big5hkscs", "cp950")), key=lambda t: t.count("\ufffd"))
    else:
        text = data.decode(name, "stray" if name == "utf-8" else "replace")
    return Decoded(text, name, how, text.count("\ufffd") / max(1, len(text)))
