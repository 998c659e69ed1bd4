"""Compressed input: every form is read, damage never passes as an end."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
from collections.abc import Callable

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from datapipe.sources.files import DamagedFile, Members

DATA = bytes(random.Random(1).choices(b"abcdefgh \n", k=300_000))
FORMS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstandard.ZstdCompressor(write_checksum=True).compress,
}


@pytest.mark.parametrize("form", FORMS)
def test_members_one_after_the_other_are_one_stream(form: str) -> None:
    stored = FORMS[form](DATA[:100_000]) + FORMS[form](DATA[100_000:])
    assert Members(io.BytesIO(stored)).read() == DATA
    assert b"".join(io.BufferedReader(Members(io.BytesIO(stored)))) == DATA


def test_what_is_not_compressed_passes_as_it_is() -> None:
    assert Members(io.BytesIO(b"plain")).read() == b"plain"
    assert Members(io.BytesIO(b"")).read() == b""


@pytest.mark.parametrize("form", FORMS)
def test_a_cut_file_says_so_and_where(form: str) -> None:
    first = FORMS[form](DATA[:100_000])
    stored = first + FORMS[form](DATA[100_000:])
    with pytest.raises(DamagedFile) as damage:
        Members(io.BytesIO(stored[:-50])).read()
    assert (damage.value.kind, damage.value.offset) == ("truncated", len(first))


@pytest.mark.parametrize("form", FORMS)
def test_a_corrupt_member_says_so(form: str) -> None:
    stored = bytearray(FORMS[form](DATA))
    stored[len(stored) // 2 : len(stored) // 2 + 8] = b"\xff\x00" * 4
    with pytest.raises(DamagedFile) as damage:
        Members(io.BytesIO(bytes(stored))).read()
    assert damage.value.kind == "corrupt"


@given(st.integers(1, 3000), st.integers(1, 255))
def test_no_single_changed_byte_of_a_gzip_member_passes_unseen(place: int, change: int) -> None:
    body = DATA[:5000]
    stored = bytearray(gzip.compress(body, mtime=0))
    place = 10 + place % (len(stored) - 10)  # beyond the header, whose flags and date say nothing about the data
    stored[place] ^= change
    with pytest.raises(DamagedFile):
        Members(io.BytesIO(bytes(stored))).read()


def test_reading_goes_on_at_the_next_member_that_begins_as_wanted() -> None:
    members = [
        gzip.compress(b"WARC/one" + DATA[:70_000]),
        gzip.compress(b"WARC/two" + DATA[:70_000]),
        gzip.compress(b"WARC/three"),
    ]
    broken = bytearray(members[1])
    broken[len(broken) // 2] ^= 0xFF
    stream = Members(io.BytesIO(members[0] + bytes(broken) + members[2]))
    seen = b""
    with pytest.raises(DamagedFile):
        while True:
            seen += stream.read(1000)
    assert seen.startswith(b"WARC/one") and stream.resume((b"WARC/",))
    assert stream.read() == b"WARC/three"


def test_zeros_after_the_last_member_are_padding() -> None:
    assert Members(io.BytesIO(gzip.compress(b"text") + b"\0" * 512)).read() == b"text"


def test_the_member_of_a_position_is_known() -> None:
    first = gzip.compress(b"0123456789")
    stream = Members(io.BytesIO(first + gzip.compress(b"abc")))
    stream.read()
    assert [stream.member_of(position) for position in (0, 9, 10, 12)] == [(0, 0), (0, 0), (len(first), 10), (len(first), 10)]
