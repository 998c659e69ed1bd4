"""The monitor on curves made for it."""

from __future__ import annotations

import math
import random
from itertools import pairwise

import pytest

from trainer.config import MonitorConfig
from trainer.monitor import Event, Monitor, predicted

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


def test_under_skip_a_spike_in_both_is_not_permitted_and_one_in_either_is() -> None:
    config = MonitorConfig(window=32, policy="skip")
    monitor = Monitor(config)
    watch(*calm(100), config, monitor)
    assert monitor.permits(3.0, 0.5) and monitor.permits(4.5, 0.5) and monitor.permits(3.0, 6.0)
    assert not monitor.permits(4.5, 6.0) and not monitor.permits(math.nan, 0.5)


def test_under_skip_spikes_without_end_stop_the_run() -> None:
    config = MonitorConfig(window=32, policy="skip", skips=3)
    losses, norms = calm(100)
    events = watch([*losses, *[4.5] * 3, 3.0, *[4.5] * 4], [*norms, *[6.0] * 3, 0.5, *[6.0] * 4], config)
    assert [event.stop for event in events] == [False] * 6 + [True]
    assert "skipped" in events[0].message and "3 steps before it were skipped" in events[-1].message


def test_a_second_spike_is_measured_by_the_calm_before_the_first() -> None:
    losses, norms = calm(100)
    for step in (80, 81):
        losses[step], norms[step] = 4.5, 6.0
    assert [event.kind for event in watch(losses, norms)] == ["spike", "spike"]


def test_a_gradient_norm_that_stays_high_is_an_alarm_though_the_loss_is_usual() -> None:
    losses, norms = calm(400)
    events = watch(losses, [norm * (10 if step >= 200 else 1) for step, norm in enumerate(norms)])
    assert events[0].kind == "lasting" and events[0].step == 200 + 32 // 2
    assert "gradient norm has stayed above its window for 16 steps, with a median of 4.9" in events[0].message
    assert len(events) == 1, "said, and not at every step after"


def test_a_loss_that_stays_high_is_let_be_for_half_a_window_and_then_is_the_usual_one() -> None:
    losses, norms = calm(400)
    losses = [loss + (1.0 if step >= 200 else 0.0) for step, loss in enumerate(losses)]
    losses[380] += 1.0
    events = watch(losses, norms)
    assert [event.kind for event in events] == ["spike_let_be"] * 16 + ["lasting", "spike_let_be"]
    assert events[-1].step == 381, "a spike above the new level is seen"


def test_high_values_that_end_before_half_a_window_leave_the_window_as_it_was() -> None:
    losses, norms = calm(200)
    for step in [*range(100, 115), *range(116, 131)]:
        norms[step] *= 10
    assert watch(losses, norms) == []


def test_a_level_is_found_across_a_restart() -> None:
    losses, norms = calm(100)
    norms = [norm * (10 if step >= 80 else 1) for step, norm in enumerate(norms)]
    first, second = Monitor(CONFIG), Monitor(CONFIG)
    assert watch(losses[:90], norms[:90], monitor=first) == []
    second.restore(first.state())
    (event,) = watch(losses[90:], norms[90:], monitor=second)
    assert event.kind == "lasting" and event.step == 6


def test_a_rising_gradient_norm_is_an_alarm_once_a_window() -> None:
    losses, norms = calm(200)
    events = watch(losses, [norm * (1 + step / 20) for step, norm in enumerate(norms)])
    assert events and {event.kind for event in events} == {"rising"}
    assert all(later.step - earlier.step >= 32 for earlier, later in pairwise(events))


def test_what_is_not_a_number_stops_the_run() -> None:
    (event,) = watch([float("nan")], [1.0])
    assert event.kind == "not_a_number" and event.stop
    (event,) = watch([3.0], [float("inf")])
    assert event.stop


def test_a_loss_above_its_predicted_curve_is_an_alarm_once_a_window() -> None:
    config = MonitorConfig(window=32, predicted=[[1e3, 4.0], [1e5, 3.0]], interval=0.1)
    monitor = Monitor(config)
    losses, norms = calm(200)
    events = []
    for step in range(1, 201):
        tokens = 500.0 * step
        above = 0.0 if step < 100 else 0.3
        due = predicted(config.predicted, tokens)
        events += monitor.observe(step, (due or 4.0) + losses[step - 1] - 3.0 + above, norms[step - 1], tokens)
    events = [event for event in events if event.kind == "off_curve"]
    assert len(events) >= 2 and "0.1" in events[0].message
    assert 100 < events[0].step < 132 and all(b.step - a.step >= 32 for a, b in pairwise(events))


def test_a_predicted_curve_is_straight_in_log_tokens() -> None:
    curve = [[1e3, 4.0], [1e5, 3.0]]
    assert predicted(curve, 1e4) == pytest.approx(3.5)
    assert predicted(curve, 1e2) is None and predicted(curve, 1e6) is None and predicted([], 1.0) is None


def test_it_goes_on_from_its_saved_state() -> None:
    losses, norms = calm(100)
    losses[80], norms[80] = 4.5, 6.0
    first, second = Monitor(CONFIG), Monitor(CONFIG)
    watch(losses[:60], norms[:60], monitor=first)
    second.restore(first.state())
    assert [event.kind for event in watch(losses[60:], norms[60:], monitor=second)] == ["spike"]
