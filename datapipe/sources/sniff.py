"""What a body is by its first bytes, for servers that say something else (after the WHATWG MIME Sniffing Standard, sections 6
and 7).

A PDF under `text/html` would be parsed as a page of noise, a page under `text/plain` would keep its tags, and one under
`application/octet-stream` or under nothing would be lost.
"""

from __future__ import annotations

import re

HTML = "text/html"

_MAGIC = (
    (b"%PDF-", "application/pdf"),
    (b"%!PS-", "application/postscript"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"\x00\x00\x01\x00", "image/x-icon"),
    (b"RIFF", "application/x-riff"),  # WebP, WAVE, AVI
    (b"OggS", "application/ogg"),
    (b"ID3", "audio/mpeg"),
    (b"\x1a\x45\xdf\xa3", "video/webm"),
    (b"PK\x03\x04", "application/zip"),  # and all office formats of today
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),  # and those of yesterday
    (b"Rar!\x1a\x07", "application/x-rar-compressed"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"\x1f\x8b\x08", "application/gzip"),
    (b"wOFF", "font/woff"),
    (b"wOF2", "font/woff2"),
    (b"{\\rtf", "application/rtf"),
)
_LEADING = re.compile(rb"(?:\xef\xbb\xbf)?(?:[\s\x00]|<!--.*?-->)*+", re.DOTALL)
_PAGE = re.compile(
    rb"<(?:!doctype\s+html|(?:html|head|body|title|meta|script|style|link|iframe|h1|div|table|p|br|b|a|font)[\s>/])", re.I
)
_DOCUMENT = re.compile(rb"<(?:!doctype\s+html|(?:html|head)[\s>/])", re.I)
_XML = re.compile(rb"<\?xml[\s?]", re.I)
_ROOT = re.compile(rb"<(?!\?|!)([a-z][\w.:-]*)", re.I)
_JSON = re.compile(rb"\{\s*\"|\[\s*(?:\{\s*\"|\")")


def sniff(body: bytes, text: bool = False) -> str:
    """The content type that the bytes show; "" where they show none (plain text is among these). Of what is declared to be
    `text` only the beginning of a whole document shows a page: a text may be about tags."""
    for magic, kind in _MAGIC:
        if body.startswith(magic):
            return kind
    if body[4:8] == b"ftyp":
        return "video/mp4"
    head = body[:4096]
    head = head[_LEADING.match(head).end() :]  # type: ignore[union-attr]
    if (_DOCUMENT if text else _PAGE).match(head):
        return HTML
    if _XML.match(head):
        root = _ROOT.search(head)
        return HTML if root is None or root.group(1).lower() == b"html" else "text/xml"
    return "application/json" if _JSON.match(head) else ""
