"""The table of rules: what enters it, under which name, and what is said where there is none."""

from __future__ import annotations

import numpy as np
import pytest

from datapipe.rules.registry import LINE_RULES, PAGE_RULES, find, rule


def test_an_unknown_rule_is_named_with_its_nearest() -> None:
    with pytest.raises(KeyError, match="did you mean gopher.words"):
        find(PAGE_RULES, "gopher.wrds")
    with pytest.raises(KeyError, match="is a line rule; it belongs under `lines`"):
        find(PAGE_RULES, "c4.policy")


def test_a_rule_without_a_docstring_or_defined_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="no docstring"):
        rule("test.nothing")(lambda view: np.zeros(len(view)))
    with pytest.raises(ValueError, match="defined twice"):
        rule("gopher.words")(PAGE_RULES["gopher.words"].measure)


def test_every_rule_says_where_it_comes_from() -> None:
    for known in (*LINE_RULES.values(), *PAGE_RULES.values()):
        assert len(known.source) > 20, known.name
