"""Rules that hold for any text."""

import pytest

from tests.datapipe.rules.pages import ENGLISH, broken


@pytest.mark.parametrize(
    ("rule", "page"),
    [
        ("text.garbled_characters", ENGLISH.replace("e", "\ufffd")),
        ("text.mojibake", ENGLISH.replace("'", "â€™").replace(",", "Ã© Ã¨")),
        ("text.characters", " \n "),
    ],
)
def test_each_rule_fires_on_a_page_made_for_it(rule: str, page: str) -> None:
    assert broken(page, rule)
    assert not broken(ENGLISH, rule)
