"""Watches the loss and the gradient norm, step by step (report, section 5: lessons of the training run).

The report saw loss spikes with a normal gradient norm, which mend themselves, and learned to fear a gradient norm that keeps
rising. So a spike counts when both values leave their window, a rising trend is an alarm by itself, and a value that is no
number stops the run.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any, Literal

from trainer.config import MonitorConfig

EventKind = Literal["not_a_number", "spike", "spike_let_be", "rising"]


@dataclass(frozen=True)
class Event:
    """What was seen at a step; `stop` asks the loop to end the run."""

    step: int
    kind: EventKind
    message: str
    stop: bool = False


class Monitor:
    """Give it every step's loss and gradient norm; it answers with what is worth saying. Its state goes into checkpoints."""

    def __init__(self, config: MonitorConfig) -> None:
        self.config = config
        self._losses: deque[float] = deque(maxlen=config.window)
        self._norms: deque[float] = deque(maxlen=2 * config.window)
        self._alarmed = -config.window

    def observe(self, step: int, loss: float, norm: float) -> list[Event]:
        """The events of one step. A spike does not enter the window that the next step is measured by."""
        if not (math.isfinite(loss) and math.isfinite(norm)):
            message = f"step {step}: loss {loss}, gradient norm {norm}: not a number; nothing after this step would be one."
            return [Event(step, "not_a_number", message, stop=True)]
        high_loss, high_norm = self._above(self._losses, loss), self._above(self._norms, norm)
        events = []
        if high_loss >= self.config.spike:
            both = high_norm >= self.config.spike
            said = f"step {step}: loss {loss:.4f} is {high_loss:.1f} standard deviations above its window, "
            if both:
                message = said + f"gradient norm {norm:.3f} {high_norm:.1f} above its own"
                events.append(Event(step, "spike", message, stop=self.config.policy == "stop"))
            else:
                events.append(Event(step, "spike_let_be", said + f"gradient norm {norm:.3f} as usual: let be"))
        else:
            self._losses.append(loss)
        if high_norm < self.config.spike:
            self._norms.append(norm)
        events.extend(self._trend(step))
        return events

    def _above(self, window: deque[float], value: float) -> float:
        """Standard deviations of `value` above the mean of the window's newer part; 0 until there is enough of it."""
        recent = list(window)[-self.config.window :]
        if len(recent) < self.config.window // 2:
            return 0.0
        mean = sum(recent) / len(recent)
        spread = math.sqrt(sum((entry - mean) ** 2 for entry in recent) / len(recent))
        return (value - mean) / max(spread, 1e-3 * abs(mean), 1e-12)

    def _trend(self, step: int) -> list[Event]:
        window = self.config.window
        if len(self._norms) < 2 * window or step - self._alarmed < window:
            return []
        norms = list(self._norms)
        before, now = median(norms[:window]), median(norms[window:])
        if now < before * (1.0 + self.config.trend):
            return []
        self._alarmed = step
        message = f"step {step}: the gradient norm's median rose from {before:.3f} to {now:.3f} within {window} steps"
        return [Event(step, "rising", message)]

    def state(self) -> dict[str, Any]:
        return {"losses": list(self._losses), "norms": list(self._norms), "alarmed": self._alarmed}

    def restore(self, state: Mapping[str, Any]) -> None:
        self._losses.extend(state["losses"])
        self._norms.extend(state["norms"])
        self._alarmed = int(state["alarmed"])
