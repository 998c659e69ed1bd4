"""Lists in their public forms; a page is on one by its host, a parent of its host, or a beginning of its address."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from core.config import ConfigError
from datapipe.config import UrlList
from datapipe.triage.lists import compile_lists, entry_of, files, key, listed, load_lists

PLAIN = "# bad places\nBad.example\nwww.worse.example\n\nhttp://mixed.example/dir/\nmixed.example/other?id=3\n"
HOSTS = "127.0.0.1 localhost\n0.0.0.0 ads.example track.example # both\n::1 ip6-localhost\n||blocked.example^\n*.wild.example\n"


@pytest.fixture
def ut1(tmp_path: Path) -> Path:
    for category in ("adult", "gambling", "press"):
        (tmp_path / "ut1" / category).mkdir(parents=True)
    (tmp_path / "ut1/adult/domains").write_text("adult.example\n")
    (tmp_path / "ut1/adult/urls.gz").write_bytes(gzip.compress(b"homes.example/~x\n"))
    (tmp_path / "ut1/gambling/domains").write_text("bets.example\n10.1.2.3\n")
    (tmp_path / "ut1/press/domains").write_text("news.example\n")
    (tmp_path / "ut1/adult/usage").write_text("notes.example\n")
    return tmp_path / "ut1"


def test_lists_of_every_form_say_which_entry_holds(tmp_path: Path, ut1: Path) -> None:
    (tmp_path / "plain.txt").write_text(PLAIN)
    (tmp_path / "hosts.gz").write_bytes(gzip.compress(HOSTS.encode()))
    lists = {
        "plain": UrlList(uri=str(tmp_path / "plain.txt")),
        "hosts": UrlList(uri=str(tmp_path / "hosts.gz")),
        "ut1": UrlList(uri=str(ut1), categories=["adult", "gambling"]),
    }
    compile_lists(lists, str(tmp_path / "lists.npz"))
    tables = load_lists(str(tmp_path / "lists.npz"))
    expected = {
        "http://bad.example/": "plain: bad.example",
        "https://deep.er.bad.example:81/a?b#c": "plain: bad.example",
        "http://notbad.example/": None,
        "http://worse.example/a": "plain: worse.example",
        "http://mixed.example/dir/page": "plain: mixed.example/dir",
        "http://mixed.example/dir": "plain: mixed.example/dir",
        "http://mixed.example/directory": None,
        "http://mixed.example/other?id=3": "plain: mixed.example/other?id=3",
        "http://mixed.example/other?id=4": None,
        "http://track.example/x": "hosts: track.example",
        "http://a.blocked.example/": "hosts: blocked.example",
        "http://wild.example/": "hosts: wild.example",
        "http://localhost/": None,
        "http://www.adult.example/": "ut1/adult: adult.example",
        "http://homes.example/~x/index.html": "ut1/adult: homes.example/~x",
        "http://homes.example/~y": None,
        "http://10.1.2.3/": "ut1/gambling: 10.1.2.3",
        "http://news.example/": None,
        "http://notes.example/": None,
        "urn:uuid:1": None,
        "[foo": None,
        "http://bad.example]/": None,
        "": None,
    }
    assert {url: listed(url, tables) for url in expected} == expected
    assert len(files(lists)) == 5


def test_a_list_that_holds_nothing_is_named(tmp_path: Path, ut1: Path) -> None:
    (tmp_path / "empty.txt").write_text("# nothing\n\n")
    with pytest.raises(ConfigError, match="lists.none.uri = .*empty.txt: holds no host"):
        compile_lists({"none": UrlList(uri=str(tmp_path / "empty.txt"))}, str(tmp_path / "x.npz"))
    with pytest.raises(ConfigError, match="no such file"):
        files({"gone": UrlList(uri=str(tmp_path / "gone.txt"))})
    with pytest.raises(ConfigError, match="holds 'sport'; there are adult, gambling, press"):
        files({"ut1": UrlList(uri=str(ut1), categories=["sport"])})
    assert not (tmp_path / "x.npz").exists()


def test_the_key_changes_with_the_lists_contents(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a.example\n")
    lists = {"a": UrlList(uri=str(tmp_path / "a.txt"))}
    before = key(lists)
    (tmp_path / "a.txt").write_text("a.example\nb.example\n")
    assert key(lists) != before and key({}) == ""


def test_lines_that_name_nothing_give_nothing() -> None:
    for line in ("", "  # x", "! adblock", "com", "0.0.0.0 0.0.0.0", "||", "*"):
        assert entry_of(line)[1] == []
