"""Bodies as archives keep them: codings undone where they are there, left where they are not, and no bomb in memory."""

from __future__ import annotations

import gzip
import random
import tracemalloc
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from datapipe.sources.http import TooLarge, decode_body
from tests.datapipe.sources.builders import read, warc

BODY = b"<html><body><p>The river rose in the night.</p></body></html>" * 40
BOUND = 1_000_000


def raw_deflate(data: bytes) -> bytes:
    engine = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return engine.compress(data) + engine.flush()


CODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": partial(brotli.compress, quality=1),
    "zstd": zstandard.ZstdCompressor().compress,
}


def chunked(data: bytes, size: int, end: bytes = b"\r\n") -> bytes:
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    return b"".join(b"%x;note=1%s%s%s" % (len(piece), end, piece, end) for piece in pieces) + b"0" + end + end


@pytest.mark.parametrize("name", CODERS)
def test_each_coding_is_undone_also_in_chunks(name: str) -> None:
    coded = CODERS[name](BODY)
    assert decode_body(coded, "", name.upper(), BOUND) == BODY
    assert decode_body(chunked(coded, 50), "Chunked", name, BOUND) == BODY


def test_deflate_is_read_in_all_three_forms_that_servers_send_and_gzip_in_all_its_members() -> None:
    for coded in (zlib.compress(BODY), raw_deflate(BODY), gzip.compress(BODY)):
        assert decode_body(coded, "", "deflate", BOUND) == BODY
    assert decode_body(gzip.compress(BODY[:99]) + gzip.compress(BODY[99:]), "", "gzip", BOUND) == BODY


def test_codings_are_undone_from_the_last_to_the_first_those_of_the_transfer_before_those_of_the_page() -> None:
    assert decode_body(chunked(gzip.compress(brotli.compress(BODY)), 70), "gzip, chunked", "br", BOUND) == BODY
    assert decode_body(brotli.compress(gzip.compress(BODY)), "", "gzip, br", BOUND) == BODY


@pytest.mark.parametrize("name", CODERS)
def test_a_body_that_is_not_in_the_declared_coding_stays_as_it_is(name: str) -> None:
    assert decode_body(BODY, "", name, BOUND) == BODY
    assert decode_body(BODY, "chunked", name, BOUND) == BODY
    assert decode_body(BODY, "", "identity, aes128gcm", BOUND) == BODY


@pytest.mark.parametrize("name", CODERS)
def test_a_body_that_was_cut_short_gives_what_there_is(name: str) -> None:
    data = random.Random(1).randbytes(300_000)
    coded = CODERS[name](data)
    made = decode_body(coded[: len(coded) * 9 // 10], "", name, BOUND)
    assert made and data.startswith(made)


def test_chunks_that_were_cut_short_give_what_there_is() -> None:
    framing = 4 * len("64;note=1\r\n\r\n") + len("64;note=1\r\n")
    assert decode_body(chunked(BODY, 100)[:500], "chunked", "", BOUND) == BODY[: 500 - framing]


@pytest.mark.parametrize("name", CODERS)
def test_a_bomb_is_refused_and_not_unpacked(name: str) -> None:
    bomb = CODERS[name](bytes(40 * BOUND))
    tracemalloc.start()
    with pytest.raises(TooLarge):
        decode_body(bomb, "", name, BOUND)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10 * BOUND


def test_the_bound_holds_for_what_is_not_coded_and_is_itself_allowed() -> None:
    assert decode_body(BODY, "", "", len(BODY)) == decode_body(gzip.compress(BODY), "", "gzip", len(BODY)) == BODY
    for body, coding in ((BODY, ""), (gzip.compress(BODY), "gzip"), (chunked(BODY, 9), "")):
        with pytest.raises(TooLarge):
            decode_body(body, "chunked" if body[:1].isdigit() else "", coding, len(BODY) - 1)


@given(st.binary(max_size=300), st.integers(1, 40), st.sampled_from([b"\r\n", b"\n"]))
def test_chunks_of_any_size_are_put_together(data: bytes, size: int, end: bytes) -> None:
    assert decode_body(chunked(data, size, end), "chunked", "", BOUND) == data


def test_a_bomb_in_an_archive_is_on_the_ledger_with_its_reason(tmp_path: Path) -> None:
    headers = {"headers": [("Content-Encoding", "gzip")]}
    warc(tmp_path / "bomb.warc.gz", [(gzip.compress(bytes(6_000_000)), headers), (gzip.compress(BODY), headers)])
    verdicts = [document.verdict for document in read(tmp_path / "bomb.warc.gz", source="warc")]
    assert verdicts[0] is not None and (verdicts[0].rule, verdicts[0].bound) == ("extract.too_large", 5_000_000)
    assert verdicts[0].detail == "bytes of body, decompressed" and verdicts[1] is None
