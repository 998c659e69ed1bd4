"""Kinds of input: what is refused, and in which words."""

from __future__ import annotations

from typing import Any

import pytest

from core.config import ConfigError
from datapipe.config.sources import InputConfig


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"source": "zip"}, "source = 'zip' must be one of"),
        ({"markup": "docx"}, "markup = 'docx' must be one of"),
        ({"domain": "Web"}, "domain = 'Web' must be one of"),
        ({"source": "records", "options": {"txt": "a"}}, "options.txt: no such setting; did you mean 'text'"),
        ({"source": "records", "options": {"remove": ["("]}}, "is no regular expression"),
        ({"source": "text", "options": {"lines": 2, "between": "x"}}, "cannot go with between"),
    ],
)
def test_a_wrong_rule_is_refused_by_name(rule: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=None) as refusal:
        InputConfig(**rule)
    assert message in str(refusal.value)
