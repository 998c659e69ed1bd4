r"""Letters that LaTeX spells with commands (\'e, \v{c}, \ss) as the characters that they are."""

from __future__ import annotations

import re
import unicodedata

_MARKS = {"`": "\u0300", "'": "\u0301", "^": "\u0302", "~": "\u0303", '"': "\u0308", "=": "\u0304", ".": "\u0307",
          "c": "\u0327", "v": "\u030c", "u": "\u0306", "H": "\u030b", "k": "\u0328", "r": "\u030a"}  # fmt: skip
_SIGN = re.compile(r"(?<!\\)\\([`'^~\"=.])\s?(?:\{\\?([A-Za-z])\}|\\?([A-Za-z])(?![A-Za-z]*\{))")
_NAMED = re.compile(r"(?<!\\)\\(?:(c)\s?\{([cCsStT])\}|(v)\s?\{([cCdDeEnNrRsStTzZ])\}|(u)\s?\{([aAgG])\}|(H)\s?\{([oOuU])\}"
                    r"|(k)\s?\{([aAeE])\}|(r)\s?\{([aAuU])\})")  # fmt: skip
_LETTERS = {"aa": "å", "AA": "Å", "ae": "æ", "AE": "Æ", "oe": "œ", "OE": "Œ", "ss": "ß", "o": "ø", "O": "Ø", "l": "ł", "L": "Ł",
            "i": "i", "j": "j"}  # fmt: skip
_LETTER = re.compile(
    r"(?<!\\)\\(?:(aa|AA|ae|AE|oe|OE|ss)(?![A-Za-z])(?:\{\}|[ \t]+)?"
    r"|([oOlLij])\{\}|(?<=[A-Za-z]\\)([oOlLij])(?![A-Za-z{])[ \t]*)"  # alone they are somebody's symbols
)


def spelled_out(text: str) -> str:
    """The text with accented and special letters as characters; what takes no such accent stays."""
    text = _SIGN.sub(lambda found: _composed(found.group(), found.group(1), found.group(2) or found.group(3)), text)
    text = _NAMED.sub(_named, text)
    return _LETTER.sub(lambda found: _LETTERS[next(group for group in found.groups() if group)], text)


def _named(found: re.Match[str]) -> str:
    mark, letter = (group for group in found.groups() if group)
    return _composed(found.group(), mark, letter)


def _composed(source: str, mark: str, letter: str) -> str:
    made = unicodedata.normalize("NFC", letter + _MARKS[mark])
    return made if len(made) == 1 else source
