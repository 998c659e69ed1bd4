"""Entries of the mix and their domains."""

from core.mix import domain_of


def test_a_part_belongs_to_its_domain_and_a_domain_to_itself() -> None:
    assert domain_of("WebText.zh.high") == domain_of("WebText") == "WebText"
    assert domain_of("Profession-Law") == "Profession-Law"
