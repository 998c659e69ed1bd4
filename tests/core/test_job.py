"""How a job ends: what a person reads, and the exit status."""

from __future__ import annotations

import pytest

from core.config import ConfigError
from core.job import guarded


def stopped() -> None:
    raise KeyboardInterrupt


def refused() -> None:
    raise ConfigError("batch = 0 is too small; use 1 or more.")


def test_what_the_user_can_mend_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        guarded(refused)
    assert ended.value.code == 2 and capsys.readouterr().err == "error: batch = 0 is too small; use 1 or more.\n"


@pytest.mark.parametrize(("resumes", "then"), [(True, "goes on from here"), (False, "begins anew")])
def test_a_job_that_was_stopped_says_what_the_next_call_does(
    capsys: pytest.CaptureFixture[str], resumes: bool, then: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        guarded(stopped, resumes)
    assert ended.value.code == 130 and capsys.readouterr().err == f"stopped; the same command {then}.\n"
