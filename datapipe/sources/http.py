"""The body of an HTTP response as the server meant it: transfer and content codings undone, within a bound.

Archives keep bodies as they went over the wire, or decoded with the headers left as they were; both are read, by looking
at the bytes. A body that would grow past the bound (a decompression bomb) is refused before it is in memory.
"""

from __future__ import annotations

import io
import re
import zlib

import brotli
import zstandard

_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]{0,200})?\r?\n")


class TooLarge(Exception):
    """The decoded body would be larger than the bound."""


def decode_body(body: bytes, transfer: str, coding: str, bound: int) -> bytes:
    """The decoded body. `transfer` and `coding` are the values of the two headers. Raises TooLarge.

    What is cut short is decoded as far as it goes; what is not in the coding that is declared stays as it is.
    """
    if "chunked" in transfer.lower():
        body = _dechunk(body)
    for name in reversed([part.strip() for part in f"{coding},{transfer}".lower().split(",")]):
        if name in ("gzip", "x-gzip", "deflate", "br", "zstd"):
            body = _inflate(body, name, bound)
    if len(body) > bound:
        raise TooLarge
    return body


def _dechunk(body: bytes) -> bytes:
    parts, place = [], 0
    while (line := _CHUNK_LINE.match(body, place)) is not None:
        size = int(line.group(1), 16)
        parts.append(body[line.end() : line.end() + size])
        place = line.end() + size
        if size == 0:
            break
        place += 2 if body[place : place + 2] == b"\r\n" else 1
    return b"".join(parts) if place else body


def _inflate(body: bytes, name: str, bound: int) -> bytes:
    try:
        if name == "br":
            made = bytes(brotli.Decompressor().process(body, output_buffer_limit=bound + 1))
        elif name == "zstd":
            made = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(body)).read(bound + 1)
        else:
            made = _zlib(body, bound + 1)
    except (brotli.error, zlib.error, zstandard.ZstdError):
        return body
    if len(made) > bound:
        raise TooLarge
    return made


def _zlib(body: bytes, size: int) -> bytes:
    """gzip (all members), zlib or raw deflate: servers send all three for 'deflate'."""
    window = 31 if body[:2] == b"\x1f\x8b" else zlib.MAX_WBITS
    try:
        engine = zlib.decompressobj(window)
        made = engine.decompress(body, size)
    except zlib.error:
        engine = zlib.decompressobj(-zlib.MAX_WBITS)
        made = engine.decompress(body, size)
    while engine.eof and engine.unused_data[:2] == b"\x1f\x8b" and len(made) < size:
        engine, rest = zlib.decompressobj(31), engine.unused_data
        made += engine.decompress(rest, size - len(made))
    return made
