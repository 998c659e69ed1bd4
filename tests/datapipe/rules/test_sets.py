"""Which bounds a document meets, and what the config refuses."""

from typing import Any

import pytest

from core.config import ConfigError, build
from datapipe.config import Bound, CleanConfig
from datapipe.document import DOMAINS
from datapipe.rules.registry import LINE_RULES, PAGE_RULES
from datapipe.rules.sets import Bounds
from datapipe.text.language import LANGUAGES
from tests.datapipe.rules.pages import bounds


def config(**changes: Any) -> dict[str, Any]:
    tree: dict[str, Any] = {
        "sets": {
            "any": {"pages": {"text": {"characters": {"min": 1}}}},
            "web": {"inherits": ["any"], "pages": {"gopher": {"words": {"min": 5, "max": 9}}}},
            "english": {"inherits": ["web"], "pages": {"gopher": {"stop_words": {"min": 2}, "words": {"min": 3}}}},
            "chinese": {"pages": {"chinese": {"han_share": {"min": 0.3}}}},
        },
        "use": {"default": {"default": "any", "zh": "chinese"}, "WebText": {"default": "web", "en": "english"}},
    }
    return {**tree, **changes}


def test_the_language_weighs_more_than_the_domain() -> None:
    own = Bounds(build(CleanConfig, config()))
    assert own.of("WebText", "en").name == "english"
    assert own.of("WebText", "fr").name == "web"
    assert own.of("WebText", "zh").name == "chinese"
    assert own.of("Book", "en").name == "any"


def test_inherited_bounds_come_first_and_are_replaced_in_their_place() -> None:
    pages = Bounds(build(CleanConfig, config())).sets["english"].pages
    assert list(pages) == ["text.characters", "gopher.words", "gopher.stop_words"]
    assert pages["gopher.words"] == Bound(min=3)


def test_null_turns_an_inherited_rule_off() -> None:
    tree = config()
    tree["sets"]["english"]["pages"]["gopher"]["words"] = None
    assert "gopher.words" not in Bounds(build(CleanConfig, tree)).sets["english"].pages


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"use": {"default": {"default": "any", "zh": "english"}}}, "zh = english.*gopher.stop_words is made for en"),
        ({"use": {"default": {"default": "english"}}}, "must not judge default"),
        ({"use": {"default": {"en": "english"}}}, "use.default.default is missing"),
        ({"use": {"WebTxt": {"en": "any"}}}, "no such domain"),
        ({"use": {"default": {"default": "anything"}}}, "is no set; known: any, chinese"),
        ({"sets": {"a": {"pages": {"gopher": {"word": {"min": 1}}}}}, "use": {}}, "did you mean gopher.words"),
        ({"sets": {"a": {"lines": {"gopher": {"words": {"min": 1}}}}}, "use": {}}, "page rule; it belongs under `pages`"),
        ({"sets": {"a": {"inherits": ["b"]}, "b": {"inherits": ["a"]}}, "use": {}}, "inherits from itself"),
        ({"sets": {"a": {"inherits": ["b"]}}, "use": {}}, "names b, which is no set"),
        ({"sets": {"a": {"pages": {"gopher": {"words": {"min": 3, "max": 2}}}}}}, "min = 3.0 is above max = 2.0"),
        ({"pii": ["emails"]}, "known: email, ip"),
        ({"longest": 0}, "longest = 0 must be at least 1"),
    ],
)
def test_a_wrong_config_is_refused_with_what_would_be_right(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build(CleanConfig, config(**change), "clean")


@pytest.mark.parametrize("domain", DOMAINS)
def test_no_english_rule_and_no_english_threshold_judges_chinese(domain: str) -> None:
    chinese = bounds().of(domain, "zh")
    for table, rules in ((LINE_RULES, chinese.lines), (PAGE_RULES, chinese.pages)):
        assert all("zh" in (table[name].languages or ("zh",)) for name in rules)
    assert bounds().of(domain, "en").name != chinese.name
    length = chinese.pages.get("gopher.mean_word_length")
    assert length is None or (length.min or 0) <= 1


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("language", [*LANGUAGES, "code", "und"])
def test_the_shipped_bounds_know_every_domain_and_language(domain: str, language: str) -> None:
    assert bounds().of(domain, language).pages


def test_every_rule_is_used_by_a_shipped_set_or_named_here() -> None:
    spare = {"c4.terminal_punctuation", "c4.flagged_words", "flagged.line_share", "refinedweb.one_word"}
    used = {name for entry in bounds().sets.values() for name in (*entry.lines, *entry.pages)}
    assert set(LINE_RULES) | set(PAGE_RULES) == used | spare
