"""Two spellings of one address have one form; two addresses that a server may tell apart have two."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datapipe.triage.addresses import address_hash, normalise

SAME = [
    ("http://Example.ORG/a", "https://example.org:443/a"),
    ("http://example.org:80", "http://example.org/"),
    ("http://www.example.org/a", "http://www2.example.org./a/"),
    ("http://example.org/a#part", "http://example.org/a"),
    ("http://example.org/%7euser/%41", "http://example.org/~user/A"),
    ("http://example.org/caf%c3%a9", "http://example.org/café"),
    ("http://bücher.example/a", "http://xn--bcher-kva.example/a"),
    ("http://example.org/a/./b/../c", "http://example.org/a/c"),
    ("http://example.org/a?y=2&x=1", "http://example.org/a?x=1&y=2"),
    ("http://example.org/a?utm_source=x&id=3&fbclid=Z", "http://example.org/a?id=3"),
    ("http://example.org/a;jsessionid=0A1B?id=3", "http://example.org/a?PHPSESSID=77&id=3"),
    ("http://example.org/f?sid=0123456789abcdef0123456789abcdef&t=5", "http://example.org/f?t=5"),
    ("http://example.org/a?", " http://user:word@example.org/a\n"),
]
DIFFERENT = [
    ("http://example.org/A", "http://example.org/a"),
    ("http://example.org/a?id=1", "http://example.org/a?id=2"),
    ("http://example.org/a?x=1&x=2", "http://example.org/a?x=2&x=1"),
    ("http://example.org/a%2Fb", "http://example.org/a/b"),
    ("http://example.org:8080/a", "http://example.org/a"),
    ("http://www.org/a", "http://org/a"),
    ("http://example.org/a?sid=7", "http://example.org/a?sid=8"),
    ("http://example.org/a?gid=7", "http://example.org/a"),
    ("http://en.example.org/a", "http://de.example.org/a"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_spellings_of_one_address_are_one(one: str, other: str) -> None:
    assert normalise(one) == normalise(other)
    assert address_hash(one) == address_hash(other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_addresses_that_may_differ_stay_apart(one: str, other: str) -> None:
    assert normalise(one) != normalise(other)


def test_what_is_no_web_address_stays_as_it_is() -> None:
    for odd in ("urn:uuid:7", "http://[bad", "mailto:a@b.org", "", "http://h:port/", "file:///etc"):
        assert normalise(odd) == odd


@given(st.text(max_size=60), st.lists(st.text(max_size=8), max_size=4))
def test_the_form_of_a_form_is_itself(path: str, query: list[str]) -> None:
    form = normalise(f"http://example.org/{path}?{'&'.join(query)}")
    assert normalise(form) == form
    assert normalise(f"http://{form}") == form
