"""MediaWiki dumps: articles of the languages asked for, as prose."""

from __future__ import annotations

import bz2
from pathlib import Path
from xml.sax.saxutils import escape

import pytest

from tests.datapipe.sources.builders import ARTICLE, outcomes, read


def dump(pages: list[tuple[str, str, str]], language: str = "en") -> bytes:
    """A dump of (title, namespace, wikitext) pages."""
    body = "".join(
        f"<page><title>{escape(title)}</title><ns>{space}</ns><id>{number}</id><revision><id>9</id>"
        f"<timestamp>2024-05-01T00:00:00Z</timestamp><text>{escape(text)}</text></revision></page>"
        for number, (title, space, text) in enumerate(pages, 1)
    )
    head = f'<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" xml:lang="{language}">'
    return f"{head}<siteinfo><base>https://{language}.wikipedia.org/wiki/Main</base></siteinfo>{body}</mediawiki>".encode()


def test_articles_are_kept_and_other_pages_are_on_the_ledger(tmp_path: Path) -> None:
    path = tmp_path / "enwiki.xml.bz2"
    path.write_bytes(
        bz2.compress(dump([("Bridge", "0", ARTICLE), ("Talk:Bridge", "1", "talk"), ("Brigde", "0", "#REDIRECT [[Bridge]]")]))
    )
    made = read(path, source="wikipedia", markup="wikitext", domain="WorldKnowledge")
    assert outcomes(made) == ["kept", "extract.namespace", "extract.redirect"]
    assert (made[0].key, made[0].title, made[0].url) == ("1", "Bridge", "https://en.wikipedia.org/wiki/Bridge")


def test_a_dump_in_a_language_not_asked_for_is_refused_page_by_page(tmp_path: Path) -> None:
    (tmp_path / "x.xml").write_bytes(dump([("A", "0", ARTICLE), ("B", "0", ARTICLE)], language="ltg"))
    made = read(tmp_path / "x.xml", source="wikipedia", markup="wikitext", domain="WorldKnowledge")
    assert outcomes(made) == ["extract.language"] * 2 and made[0].language == "ltg"


@pytest.mark.parametrize("cut", [120, 1])
def test_a_cut_dump_keeps_the_pages_before_the_cut(tmp_path: Path, cut: int) -> None:
    whole = dump([(f"Page {number}", "0", ARTICLE) for number in range(3)])
    (tmp_path / "x.xml").write_bytes(whole[:-cut])
    made = outcomes(read(tmp_path / "x.xml", source="wikipedia", markup="wikitext", domain="WorldKnowledge"))
    assert made[-1] == "extract.corrupt_file" and made.count("kept") == (2 if cut == 120 else 3)


def test_a_cut_compressed_dump_says_where(tmp_path: Path) -> None:
    pages = dump([(f"Page {number}", "0", ARTICLE) for number in range(40)])
    stored = bz2.compress(pages[:20_000]) + bz2.compress(pages[20_000:])
    (tmp_path / "x.xml.bz2").write_bytes(stored[:-60])
    made = outcomes(read(tmp_path / "x.xml.bz2", source="wikipedia", markup="wikitext", domain="WorldKnowledge"))
    assert made[-1] == "extract.truncated_file" and 5 < made.count("kept") < 40


def test_entities_are_not_expanded(tmp_path: Path) -> None:
    bomb = '<!DOCTYPE m [<!ENTITY a "xxxxxxxxxx"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    text = dump([("A", "0", "text")]).decode().replace("<text>text", "<text>start &b; end")
    (tmp_path / "x.xml").write_bytes((bomb + text).encode())
    made = read(tmp_path / "x.xml", source="wikipedia", markup="wikitext", domain="WorldKnowledge", language="en")
    assert "xxxxx" not in "".join(document.text for document in made)
