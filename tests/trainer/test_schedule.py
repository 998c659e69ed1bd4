"""The learning rate's shape over the run."""

from __future__ import annotations

import pytest

from core.config import ConfigError
from trainer.config import ScheduleConfig
from trainer.schedule import factor


def test_warm_up_rises_to_the_peak_and_cosine_falls_to_the_minimum() -> None:
    shape = ScheduleConfig(warmup=10, minimum=0.1)
    assert [factor(shape, step, 110) for step in (1, 5, 10)] == pytest.approx([0.1, 0.5, 1.0])
    assert factor(shape, 60, 110) == pytest.approx(0.55)
    assert factor(shape, 110, 110) == pytest.approx(0.1)


def test_the_schedule_may_be_longer_than_the_run() -> None:
    shape = ScheduleConfig(unit="tokens", warmup=10, length=2510)
    assert factor(shape, 2010, end=2010) == pytest.approx(0.1 + 0.9 * 0.5 * (1 + -0.8090169943749475))
    assert factor(shape, 5000, end=5000) == pytest.approx(0.1)


def test_the_other_shapes() -> None:
    assert factor(ScheduleConfig(kind="linear", minimum=0.0), 30, 100) == pytest.approx(0.7)
    assert factor(ScheduleConfig(kind="constant", warmup=5), 80, 100) == 1.0
    shape = ScheduleConfig(kind="wsd", decay=20, minimum=0.0)
    assert [factor(shape, step, 100) for step in (50, 80, 90, 100)] == pytest.approx([1.0, 1.0, 0.5, 0.0])


def test_impossible_shapes_are_refused() -> None:
    with pytest.raises(ConfigError, match="length = 5 is not beyond warmup = 10"):
        ScheduleConfig(warmup=10, length=5)
    with pytest.raises(ConfigError, match="decay = 0"):
        ScheduleConfig(kind="wsd")
