"""Hosts on sides, and documents as windows."""

from collections import Counter
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from datapipe.quality.card import Sample, capped, one_by_one
from datapipe.quality.split import CALIBRATE, TEST, TRAIN, split_hosts
from datapipe.quality.windows import host, windows

HOSTS = st.lists(st.integers(0, 30).map("host{}".format), min_size=8, max_size=80)


@given(HOSTS, st.randoms())
@settings(max_examples=60, deadline=None)
def test_the_split_depends_on_hosts_alone_and_fills_every_side(hosts: list[str], random: Random) -> None:
    sides = split_hosts(hosts, 0.3, 1)
    shuffled = list(hosts)
    random.shuffle(shuffled)
    assert split_hosts(shuffled, 0.3, 1) == sides
    if len(set(hosts)) >= 4:
        assert set(sides.values()) == {TRAIN, CALIBRATE, TEST}
    counts = Counter(sides[name] for name in hosts)
    assert counts[TRAIN] > 0


def test_a_host_of_both_classes_stands_on_one_side() -> None:
    hosts = [f"host{n}" for n in range(40)]
    known = split_hosts(hosts, 0.3, 1)
    again = split_hosts(hosts[::2] + ["other"] * 3, 0.3, 1, known)
    assert all(again[name] == known[name] for name in hosts[::2])


def sample(host: str, number: int) -> Sample:
    return Sample(True, f"{number:032x}", host, "Book", 100, ["a line"])


def test_a_collection_in_one_file_is_split_by_document_and_a_large_site_is_not() -> None:
    small = [sample(f"site{n}", n) for n in range(10)]
    assert one_by_one(small, 0.25) == set()
    assert one_by_one(small + [sample("file:all.jsonl", 100 + n) for n in range(50)], 0.25) == {"file:all.jsonl"}
    assert one_by_one(small + [sample("big.test", 100 + n) for n in range(50)], 0.25) == set()
    assert one_by_one(small[:3], 0.25) == {"site0", "site1", "site2"}


def test_one_host_gives_a_class_so_many_documents_and_no_more() -> None:
    samples = [sample("big.test", n) for n in range(9)] + [sample("small.test", 20)]
    assert capped(samples, 4) == [*samples[:4], samples[-1]]


def test_whose_text_it_is() -> None:
    assert host("https://www.example.org:8080/a?b", "crawl.warc.gz") == "example.org"
    assert host(None, "books.jsonl", "laws/civil/one.md") == "laws/civil"
    assert host(None, "books.jsonl") == host("", "books.jsonl") == "file:books.jsonl"


def test_windows_are_lines_of_lower_case_tokens_with_single_han_characters() -> None:
    assert windows("The Cat,\nsat. 我用Spark3", 4, 50) == ["the cat , sat . 我 用 spark3"]
    assert windows("", 4, 50) == [""]


def test_a_long_text_gives_a_few_windows_of_one_size_and_a_short_one_gives_one() -> None:
    text = " ".join(f"w{n}" for n in range(5000))
    cut = windows(text, 3, 100)
    assert [len(line.split()) for line in cut] == [100, 100, 100]
    assert cut[0].startswith("w0 w1 ") and len({line.split()[0] for line in cut}) == 3
    assert len(windows("a few words only", 3, 100)) == 1
    assert all("\n" not in line for line in cut)
