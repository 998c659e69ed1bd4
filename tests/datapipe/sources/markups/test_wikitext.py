"""Wikitext: an article is its prose up to its closing sections."""

from __future__ import annotations

from datapipe.sources.markups.wikitext import to_text
from tests.datapipe.sources.builders import ARTICLE, CHINESE, SENTENCES


def test_an_article_is_its_prose_up_to_the_references() -> None:
    assert to_text(ARTICLE) == (
        f"The bridge was a wooden bridge. {SENTENCES[0]}\n\n== History ==\n\n{SENTENCES[1]} "
        "It was 40 m long, in German Holzbrücke.\n\n"
        "- The first post\n- The second post"
    )


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
