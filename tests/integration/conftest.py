"""One run of the line as a user starts it, which the integration tests share."""

from __future__ import annotations

import pytest

from tests.line import Line


@pytest.fixture(scope="session")
def line(tmp_path_factory: pytest.TempPathFactory) -> Line:
    played = Line(tmp_path_factory.mktemp("line"))
    ended = played()
    assert ended.returncode == 0, ended.stderr[-4000:]
    return played
