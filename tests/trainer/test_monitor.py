"""The monitor on curves made for it."""

from __future__ import annotations

import math
import random

from trainer.config import MonitorConfig
from trainer.monitor import Event, Monitor

CONFIG = MonitorConfig(window=32)


def watch(
    losses: list[float], norms: list[float], config: MonitorConfig = CONFIG, monitor: Monitor | None = None
) -> list[Event]:
    monitor = monitor or Monitor(config)
    return [event for step, pair in enumerate(zip(losses, norms, strict=True), 1) for event in monitor.observe(step, *pair)]


def calm(steps: int, seed: int = 1) -> tuple[list[float], list[float]]:
    draw = random.Random(seed)
    return [3.0 + draw.gauss(0, 0.02) for _ in range(steps)], [0.5 + draw.gauss(0, 0.02) for _ in range(steps)]


def test_a_calm_run_is_not_talked_about() -> None:
    assert watch(*calm(300)) == []


def test_a_falling_loss_is_not_a_spike() -> None:
    losses, norms = calm(300)
    assert watch([loss + 5 * math.exp(-step / 60) for step, loss in enumerate(losses)], norms) == []


def test_a_spike_with_a_normal_gradient_norm_is_let_be() -> None:
    losses, norms = calm(100)
    losses[80] += 1.0
    assert [event.kind for event in watch(losses, norms)] == ["spike_let_be"]


def test_a_spike_in_both_counts_and_stops_the_run_where_asked() -> None:
    losses, norms = calm(100)
    losses[80], norms[80] = 4.5, 6.0
    (event,) = watch(losses, norms)
    assert event.kind == "spike" and event.step == 81 and not event.stop
    (event,) = watch(losses, norms, MonitorConfig(window=32, policy="stop"))
    assert event.stop


def test_a_second_spike_is_measured_by_the_calm_before_the_first() -> None:
    losses, norms = calm(100)
    for step in (80, 81):
        losses[step], norms[step] = 4.5, 6.0
    assert [event.kind for event in watch(losses, norms)] == ["spike", "spike"]


def test_a_rising_gradient_norm_is_an_alarm_once_a_window() -> None:
    losses, norms = calm(200)
    events = watch(losses, [norm * (1 + step / 20) for step, norm in enumerate(norms)])
    assert events and {event.kind for event in events} == {"rising"}
    assert all(later.step - earlier.step >= 32 for earlier, later in zip(events, events[1:], strict=False))


def test_what_is_not_a_number_stops_the_run() -> None:
    (event,) = watch([float("nan")], [1.0])
    assert event.kind == "not_a_number" and event.stop
    (event,) = watch([3.0], [float("inf")])
    assert event.stop


def test_it_goes_on_from_its_saved_state() -> None:
    losses, norms = calm(100)
    losses[80], norms[80] = 4.5, 6.0
    first, second = Monitor(CONFIG), Monitor(CONFIG)
    watch(losses[:60], norms[:60], monitor=first)
    second.restore(first.state())
    assert [event.kind for event in watch(losses[60:], norms[60:], monitor=second)] == ["spike"]
