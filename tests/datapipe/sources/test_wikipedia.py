"""MediaWiki dumps: articles of the languages asked for, as prose."""

from __future__ import annotations

import bz2
from pathlib import Path
from xml.sax.saxutils import escape

import pytest

from datapipe.sources.markups.wikitext import to_text
from datapipe.sources.markups.wikiwords import ALSO_SUBJECTS, END_SECTIONS
from datapipe.text.language import LANGUAGES
from tests.datapipe.sources.builders import CHINESE, SENTENCES, outcomes, read

ARTICLE = f"""{{{{Infobox bridge|name=Old [[bridge]]|image=a.jpg}}}}
[[File:Bridge.jpg|thumb|The [[bridge]] in 1900]]
'''The bridge''' was a [[wood|wooden]] bridge.<ref>A book, p. 3</ref> {SENTENCES[0]}

== History ==
{SENTENCES[1]}{{{{citation needed|date=May 2024}}}} It was {{{{convert|40|m}}}} long, in German {{{{lang|de|Holzbrücke}}}}.
{{| class="wikitable"
! Year !! Toll
|-
| 1900 || 2
|}}
* The first post
* The second [http://example.org post]
=== Empty ===
== References ==
{{{{reflist}}}}
== After ==
Never seen.
[[Category:Bridges]]
"""


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


def test_an_article_is_its_prose_up_to_the_references() -> None:
    assert to_text(ARTICLE) == (
        f"The bridge was a wooden bridge. {SENTENCES[0]}\n\n== History ==\n\n{SENTENCES[1]} "
        "It was 40 m long, in German Holzbrücke.\n\n"
        "- The first post\n- The second post"
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_references_and_what_follows_them_go_in_each_language(language: str) -> None:
    assert len(END_SECTIONS[language]) >= 5
    for heading in END_SECTIONS[language]:
        later = "" if heading in ALSO_SUBJECTS else "== More ==\nNever seen."
        assert to_text(f"Text.\n\n== {heading.capitalize()} ==\n* A book\n\n{later}") == "Text."


def test_a_closing_section_within_another_goes_alone() -> None:
    article = (
        "Text.\n\n== Works ==\nMany.\n=== Notes ===\n* A note\n==== Of a note ====\nx\n=== Plays ===\nTwo.\n\n== Life ==\nLong."
    )
    assert to_text(article) == "Text.\n\n== Works ==\n\nMany.\n\n=== Plays ===\n\nTwo.\n\n== Life ==\n\nLong."


def test_a_countrys_literature_is_no_list_of_books() -> None:
    lists = "== Literature ==\n* A book\n\n== References == <!-- x -->\n* B"
    made = to_text(f"Text.\n\n== Literature ==\nPoets wrote.\n\n== Economy ==\nFish.\n\n{lists}")
    assert made == "Text.\n\n== Literature ==\n\nPoets wrote.\n\n== Economy ==\n\nFish."


def test_regional_words_of_chinese_are_chosen_once() -> None:
    assert to_text(f"-{{zh-hans:联邦州; zh-hant:邦}}-。{CHINESE[0]}") == f"联邦州。{CHINESE[0]}"


def test_an_apostrophe_before_italics_stays() -> None:
    assert to_text("L''''Autriche''' est dans l'''Historia'' un pays.") == "L’Autriche est dans l’Historia un pays."
