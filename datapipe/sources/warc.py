"""WARC and ARC: crawled pages, their WET conversions, resources; what is not a page goes to the ledger with its reason.

warcio parses the records. It ends quietly at a cut or corrupt gzip member, so the bytes it sees are decompressed by
`files.Members`, which reports damage; after it, and after a record that makes no sense, reading goes on at the next one.
A record's key is its place in the file (byte offset of its gzip member), from which it can be read again alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed

from core.config import setting
from datapipe.config import HtmlConfig
from datapipe.document import Verdict
from datapipe.sources.base import InputFile, Record, Source, removed
from datapipe.sources.charset import Decoded, declared_in, decode
from datapipe.sources.files import DamagedFile, Members, form_of, open_members
from datapipe.sources.html import page_text
from datapipe.sources.http import TooLarge, decode_body
from datapipe.sources.sniff import HTML, sniff

_RECORD = re.compile(rb"(?:^|\n)(?=WARC/\d\.\d\r?\n|(?:https?|dns|filedesc)://\S* [\d.]+ \d{14} \S+ \d+\r?\n)")
_STARTS = (b"WARC/", b"http:", b"https:", b"dns:", b"filedesc:")
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([^\s;\"']+)", re.IGNORECASE)
_HTML = ("text/html", "application/xhtml+xml", "application/html")
_ANY = ("", "application/octet-stream", "application/unknown", "unknown/unknown", "*/*", "text/xml", "application/xml")
_SILENT = ("warcinfo", "request", "metadata", "continuation", "arc_header")
_TAPE = 1 << 16


@dataclass(frozen=True)
class Body:
    """A body that is to become a document: its record, its bytes with all codings undone, whether they are plain text or a
    page, the charset that the server names, the bytes as stored, and the digest of these that the archive's header gives."""

    record: Record
    data: bytes
    plain: bool
    charset: str | None
    stored: bytes
    digest: str | None

    def decoded(self) -> Decoded:
        """The body as text."""
        labels = [self.charset] if self.charset else []
        return decode(self.data, labels if self.plain else [*labels, *declared_in(self.data)])


@dataclass(frozen=True)
class Warc(Source):
    """Crawl archives."""

    statuses: list[int] = setting([200, 203], "HTTP statuses of pages that may be kept")
    plain_types: list[str] = setting(["text/plain"], "content types whose text is taken as it is")

    def read(self, file: InputFile, html: HtmlConfig) -> Iterator[Record]:
        for found in self.bodies(file, html):
            yield found if isinstance(found, Record) else _text(found, html)

    def bodies(self, file: InputFile, html: HtmlConfig) -> Iterator[Record | Body]:
        """The bodies of the file that are to become documents, not yet looked at, and the records that cannot become any."""
        if file.part and form_of(file.uri) != "gzip":  # it can only be read from its start: the first part did
            return
        with open_members(file.uri, file.begin) as members:
            if file.parts > 1:
                members.keep_to(file.begin, file.end, _STARTS)
            yield from self._records(members, html, file.settled)

    def parts(self, file: InputFile, most: int) -> int:
        return -(-file.size // most) if file.path.endswith(".gz") else 1

    def enters(self, file: InputFile) -> bool:
        return True

    def _records(self, members: Members, html: HtmlConfig, settled: Mapping[str, Verdict]) -> Iterator[Record | Body]:
        tape, read = _Tape(members), 0
        while True:
            base, records, offset = tape.position, _Quiet(tape, arc2warc=True), 0
            try:
                for record in records:
                    offset, errors = base + records.offset, records.err_count
                    made = self._record(record, _key(members, offset), html, settled)
                    if record.raw_stream.limit > 0:  # a body that was not looked at
                        records.read_to_end()
                    if record.raw_stream.limit > 0:
                        raise DamagedFile("truncated", offset, f"ends inside a record, {record.raw_stream.limit:,} bytes early")
                    if made is not None:
                        yield made
                        read += 1
                    records.read_to_end()
                    if records.err_count > errors:
                        detail = "the record is not followed by an empty line: its Content-Length is probably wrong"
                        yield removed(f"{_key(members, offset)}:end", "corrupt_record", detail=detail)
                if tape.after(base + records.offset).strip():
                    raise DamagedFile("truncated", base + records.offset, "ends inside the header of a record")
                return
            except DamagedFile as damage:
                if damage.kind == "truncated" or not members.resume(_STARTS):
                    raise
                tape.forget()
                detail = f"{damage}; {read} records read before it, reading goes on after it"
                yield removed(f"damage@{damage.offset}", "corrupt_record", damage.offset, detail=detail)
            except (ArchiveLoadFailed, ValueError, IndexError, KeyError, AttributeError) as error:
                place = base + records.offset
                detail = f"no WARC or ARC record: {_brief(error)}"
                yield removed(f"{_key(members, place)}:lost", "corrupt_record", place, detail=detail)
                if not tape.seek_record(max(place, offset) + 1):
                    return

    def _record(self, record: Any, key: str, html: HtmlConfig, settled: Mapping[str, Verdict]) -> Record | Body | None:
        kind = record.rec_type
        if kind in _SILENT:
            return None
        headers = record.rec_headers
        made = Record(key, url=_url(headers), date=headers.get_header("WARC-Date"), metadata={"record": kind})
        if kind not in ("response", "resource", "conversion"):
            return _lost(made, removed(key, "revisit" if kind == "revisit" else "record_type", detail=kind))
        if headers.get_header("Content-Length") is None and not record.raw_stream.limit:
            return _lost(made, removed(key, "corrupt_record", detail="the record has no Content-Length"))
        if (made.url or "").startswith("metadata:"):
            return _lost(made, removed(key, "record_type", detail="a file of the crawler's own"))
        http = record.http_headers
        if http is not None and not self._status_is_good(http.get_statuscode()):
            return _lost(made, removed(key, "http_status", _number(http.get_statuscode()), detail=http.statusline))
        declared = ((http or headers).get_header("Content-Type") or "").strip()
        mime = declared.split(";")[0].strip().lower()
        if mime not in _HTML and mime not in self.plain_types and mime not in _ANY:
            return _lost(made, removed(key, "content_type", detail=mime))
        if key in settled:
            made.verdict = settled[key]
            return made
        stored = body = record.raw_stream.read(html.max_bytes + 1)
        if len(body) > html.max_bytes:
            return _lost(made, removed(key, "too_large", _length(headers), html.max_bytes, "bytes of body"))
        if http is not None:
            coding, transfer = (http.get_header(name) or "" for name in ("Content-Encoding", "Transfer-Encoding"))
            try:
                body = decode_body(body, transfer, coding, html.max_bytes)
            except TooLarge:
                return _lost(made, removed(key, "too_large", html.max_bytes + 1, html.max_bytes, "bytes of body, decompressed"))
        if not body.strip():
            return _lost(made, removed(key, "empty", 0, 1, "the body is empty"))
        text = mime in self.plain_types
        shown = sniff(body, text) if kind != "conversion" else ""
        if shown not in ("", HTML):
            return _lost(made, removed(key, "content_type", detail=f"{shown} by its bytes, {mime or 'nothing'} declared"))
        if not shown and mime in _ANY and (mime or b"<" not in body[:1024]):
            return _lost(made, removed(key, "content_type", detail=f"{mime or 'none'} declared, and the body is no HTML"))
        label = _CHARSET.search(declared)
        digest = headers.get_header("WARC-Payload-Digest")
        return Body(made, body, text and not shown, label.group(1) if label else None, stored, digest)

    def _status_is_good(self, code: str | None) -> bool:
        return _number(code) in self.statuses


def _text(found: Body, html: HtmlConfig) -> Record:
    made, decoded = found.record, found.decoded()
    if found.plain:
        made.text = decoded.text
        return made
    made.metadata["charset"] = decoded.encoding
    page = page_text(decoded.text, html)
    made.text, made.title, made.verdict = page.text, page.title, page.verdict
    return made


class _Quiet(ArchiveIterator):
    """warcio's iterator without its messages on stderr: the ledger holds them."""

    INC_RECORD = ""
    offset: int
    err_count: int


class _Tape:
    """What warcio reads from; remembers the last 64 KB, so that a record can be sought from where the last one began."""

    def __init__(self, members: Members) -> None:
        self._members = members
        self._past = self._again = b""
        self.position = 0

    def read(self, size: int = -1) -> bytes:
        if self._again:
            data, self._again = self._again[:size], self._again[size:]
        else:
            data = self._members.read(size)
        self._past = (self._past + data)[-_TAPE:]
        self.position += len(data)
        return data

    def after(self, position: int) -> bytes:
        """What was read from a position on (the last 64 KB of it)."""
        return self._past[max(0, len(self._past) - (self.position - position)) :] if self.position > position else b""

    def forget(self) -> None:
        """After damage nothing before it may be read again."""
        self._past = self._again = b""

    def seek_record(self, position: int) -> bool:
        """Moves to the first record that begins at or after a position; False where the input holds none."""
        self._rewind(position)
        window = b""
        while True:
            if (match := _RECORD.search(window)) is not None and (match.start() or window[:1] != b"\n"):
                self._rewind(self.position - len(window) + match.end())
                return True
            window = window[-4096:]
            try:
                more = self.read(1 << 14)
            except DamagedFile:
                return False
            if not more:
                return False
            window += more

    def _rewind(self, position: int) -> None:
        back = max(0, min(self.position - position, len(self._past)))
        if back:
            self._again, self._past = self._past[-back:] + self._again, self._past[:-back]
            self.position -= back


def _key(members: Members, position: int) -> str:
    """Where a record lies: the offset of its gzip member, and how far into it where it does not begin the member."""
    offset, begins = members.member_of(position)
    return str(offset) if position == begins else f"{offset}+{position - begins}"


def _lost(made: Record, lost: Record) -> Record:
    made.verdict = lost.verdict
    return made


def _url(headers: Any) -> str | None:
    url = headers.get_header("WARC-Target-URI")
    return url.strip().strip("<>") if url else None


def _length(headers: Any) -> float | None:
    return _number(headers.get_header("Content-Length"))


def _number(text: str | None) -> float | None:
    return float(text) if text and text.isdigit() else None


def _brief(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
