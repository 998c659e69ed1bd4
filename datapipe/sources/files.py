"""Compressed input as a stream of bytes, in which damage is an event and never a silent end.

Libraries end quietly where a gzip file is cut, and some where a member is corrupt: half a crawl file then looks like a
whole one. This reader decompresses members itself (gzip, bzip2, xz, zstd, recognised by their first bytes and not by the
file's name), raises `DamagedFile` with the byte offset where the damage lies, and can go on at the next member.
"""

from __future__ import annotations

import bz2
import io
import lzma
import re
import zlib
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, Literal

import zstandard

from datapipe.sources.stored import open_stored

_CHUNK = 1 << 16
_MAGIC: dict[bytes, str] = {b"\x1f\x8b\x08": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\x00": "xz", b"\x28\xb5\x2f\xfd": "zstd"}
_ENDINGS = {".gz": "gzip", ".bz2": "bzip2", ".xz": "xz", ".zst": "zstd"}
_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1a]")
_ERRORS = (zlib.error, lzma.LZMAError, zstandard.ZstdError, OSError, EOFError, ValueError)

Kind = Literal["truncated", "corrupt"]


class DamagedFile(Exception):
    """The input ends inside a compressed member (`truncated`) or a member cannot be decompressed (`corrupt`).

    `offset` is the first byte of that member in the file as stored.
    """

    def __init__(self, kind: Kind, offset: int, detail: str) -> None:
        super().__init__(f"{detail} (byte {offset:,})")
        self.kind, self.offset, self.detail = kind, offset, detail


def _decompressor(form: str) -> Any:
    if form == "gzip":
        return zlib.decompressobj(31)
    if form == "bzip2":
        return bz2.BZ2Decompressor()
    if form == "xz":
        return lzma.LZMADecompressor()
    return zstandard.ZstdDecompressor(max_window_size=1 << 31).decompressobj()


class Members(io.RawIOBase):
    """The decompressed bytes of a stored stream, member after member; bytes that are not compressed pass as they are.

    `position` counts decompressed bytes; `member_of(position)` says in which member (offset in the file, position where
    it begins) a byte lies, which makes a record findable again without reading the file from its start.
    """

    def __init__(self, stored: IO[bytes], name: str = "") -> None:
        self._stored, self._name = stored, name
        self._pending = b""  # stored bytes not yet decompressed
        self._read = 0  # stored bytes taken from the file
        self._decompressed = 0
        self._ready = b""  # decompressed bytes not yet handed out
        self._form: str | None = None  # "" where the file is not compressed
        self._engine: Any = None
        self._over = False
        self._fault: DamagedFile | None = None
        self.position = 0
        self._member_offset = 0
        self._members: deque[tuple[int, int]] = deque(maxlen=4096)
        self._end: int | None = None
        self._wanted: tuple[bytes, ...] = ()

    def keep_to(self, begin: int, end: int | None, wanted: tuple[bytes, ...]) -> None:
        """Reads only a part of a gzip file: from the first member that begins at or after `begin` (where the stored stream
        stands) with one of the bytes `wanted`, up to the first such one at or after `end`."""
        self._end, self._wanted = end, wanted
        if begin:
            self._form, self._read, self._member_offset = "gzip", begin, begin - 1
            self.resume(wanted)

    def pass_on(self, begin: int) -> None:
        """Takes the bytes as they are, whatever they look like; the stored stream stands at `begin`."""
        self._form, self._read = "", begin
        self._members.append((0, 0))

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes (all for -1), b"" at the end. Raises DamagedFile once what came before the damage is read."""
        if size < 0:
            return b"".join(iter(lambda: self.read(_CHUNK), b""))
        if not self._ready and not self._over:
            self._fill()
        data, self._ready = self._ready[:size], self._ready[size:]
        self.position += len(data)
        if not data and size and self._fault is not None:
            fault, self._fault = self._fault, None
            raise fault
        return data

    def member_of(self, position: int) -> tuple[int, int]:
        """(offset of the member in the file, decompressed position of its first byte) for a recent position."""
        found = (0, 0)
        for offset, begins in reversed(self._members):
            found = (offset, begins)
            if begins <= position:
                break
        return found

    def resume(self, wanted: tuple[bytes, ...]) -> bool:
        """After damage: goes on at the next gzip member whose first bytes are one of `wanted`; False where none follows."""
        if self._form != "gzip":
            return False
        bad_member, self._over, self._ready = self._member_offset, False, b""
        while True:
            place = self._pending.find(b"\x1f\x8b\x08")
            if place < 0:
                self._pending = self._pending[-2:]
                if not self._more():
                    self._over = True
                    return False
                continue
            while len(self._pending) - place < 4096 and self._more():
                pass
            self._pending = self._pending[place:]
            offset = self._read - len(self._pending)
            if offset > bad_member and self._begins_with(wanted):
                self._engine = None
                self._over = self._end is not None and offset >= self._end  # the next part's
                return True
            self._pending = self._pending[1:]

    def _begins_with(self, wanted: tuple[bytes, ...]) -> bool:
        try:
            return zlib.decompressobj(31).decompress(self._pending[:4096], 64).startswith(wanted)
        except zlib.error:
            return False

    def _more(self) -> bool:
        chunk = self._stored.read(_CHUNK)
        self._read += len(chunk)
        self._pending += chunk
        return bool(chunk)

    def _fill(self) -> None:
        """Decompresses until there are bytes to hand out, the input is over, or damage is met."""
        while not self._ready and not self._over:
            if not self._pending and not self._more():
                self._over = True
                if self._engine is not None:
                    self._damaged("truncated", f"ends inside a {self._form} member")
            elif self._form is None:
                self._recognise()
            elif self._form == "":
                self._ready, self._pending = self._pending, b""
            elif self._engine is not None or self._begin():
                self._decompress()
        self._decompressed += len(self._ready)

    def _decompress(self) -> None:
        try:
            self._ready = self._engine.decompress(self._pending)
        except _ERRORS as error:
            self._damaged("corrupt", f"a {self._form} member cannot be decompressed: {error}")
            return
        self._pending = self._engine.unused_data if self._engine.eof else b""
        if self._engine.eof:
            self._engine = None

    def _form_here(self) -> str:
        while len(self._pending) < 6 and self._more():
            pass
        return next((name for magic, name in _MAGIC.items() if self._pending.startswith(magic)), "")

    def _recognise(self) -> None:
        """Settles by the first bytes how the file is compressed, if it is."""
        self._form = self._form_here()
        named = next((form for ending, form in _ENDINGS.items() if self._name.endswith(ending)), "")
        if not self._form and named and _BINARY.search(self._pending[:512]):
            self._form = named  # the very first bytes are damaged; text under such a name is only badly named
            self._damaged("corrupt", f"does not begin as a {named} file does")
        elif not self._form:
            self._members.append((0, 0))

    def _begin(self) -> bool:
        """Starts a member at the pending bytes; False at padding up to the end of the file, or at damage."""
        form = self._form_here()
        self._member_offset = self._read - len(self._pending)
        if form != self._form:
            while not self._pending.strip(b"\0") and self._more():  # tapes pad with zeros
                pass
            if self._pending.strip(b"\0"):
                self._damaged("corrupt", f"bytes that are no {self._form} member follow a whole one")
            self._over = True
            return False
        if self._end is not None and self._member_offset >= self._end and form == "gzip":
            while len(self._pending) < 4096 and self._more():
                pass
            if self._begins_with(self._wanted):
                self._over = True
                return False
        self._engine = _decompressor(form)
        self._members.append((self._member_offset, self._decompressed))
        return True

    def _damaged(self, kind: Kind, detail: str) -> None:
        self._engine, self._over = None, True
        self._fault = DamagedFile(kind, self._member_offset, detail)


def form_of(uri: str) -> str:
    """How a file is compressed, by its first bytes; "" where it is not."""
    with open_stored(uri) as stored:
        first = stored.read(6)
    return next((name for magic, name in _MAGIC.items() if first.startswith(magic)), "")


@contextmanager
def open_members(uri: str, begin: int = 0) -> Iterator[Members]:
    """The decompressed bytes of a file, from a stored byte on."""
    with open_stored(uri, begin) as stored:
        yield Members(stored, uri.rsplit("/", 1)[-1].lower())


@contextmanager
def open_buffered(uri: str) -> Iterator[io.BufferedReader]:
    """The decompressed bytes of a file, with lines and buffering."""
    with open_members(uri) as members:
        yield io.BufferedReader(members, _CHUNK)
