"""Whose text a document is: the host of its URL, and what stands for it where there is none."""

from __future__ import annotations

import pytest

from datapipe.quality.windows import host, host_of

UNREADABLE = (
    "http://www.example.com\uff0f\u9875", "https://[email protected]/about", "http://[2001:db8::1", "http://example.com]/",
)  # fmt: skip


def test_a_host_is_known_without_its_www() -> None:
    assert host("https://www.Example.com:8080/a", "s") == host_of("http://example.com/") == "example.com"
    assert host("http://[2001:db8::1]/", "s") == "2001:db8::1"


@pytest.mark.parametrize("url", [None, "", "urn:uuid:1", "http://www./", *UNREADABLE])
def test_a_url_that_names_no_host_counts_as_none(url: str | None) -> None:
    assert host_of(url) is None
    assert host(url, "web/a.warc.gz") == "file:web/a.warc.gz"
    assert host(url, "code.jsonl", "repository/src/a.py") == "repository/src"
