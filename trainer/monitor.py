"""Watches the loss and the gradient norm, step by step (report, section 5: lessons of the training run).

The report saw loss spikes with a normal gradient norm, which mend themselves, and learned to fear a gradient norm that keeps
rising. So a spike counts when both values leave their window, a rising trend is an alarm by itself, and a value that is no
number stops the run. A value that stays above its window is no spike: after half a window of them in a row that is said once,
and the new level is what later values are measured by. Where a curve was predicted from smaller models, a loss above it says
early that something is wrong.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Any, Literal

from trainer.config import MonitorConfig

EventKind = Literal["not_a_number", "spike", "spike_let_be", "rising", "lasting", "off_curve"]


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
        # Values in a row that lay beyond the bound, and so are not in their window yet.
        self._high_losses: list[float] = []
        self._high_norms: list[float] = []
        self._gaps: deque[float] = deque(maxlen=config.window)
        self._alarmed = {"rising": -config.window, "off_curve": -config.window}
        self._skipped = 0

    def permits(self, loss: float, norm: float) -> bool:
        """Whether a step's update may be made under the policy `skip`: no, where both values spike or one is no number."""
        if not (math.isfinite(loss) and math.isfinite(norm)):
            return False
        return min(self._above(self._losses, loss), self._above(self._norms, norm)) < self.config.spike

    def observe(self, step: int, loss: float, norm: float, tokens: float = 0.0) -> list[Event]:
        """The events of one step, which ends at `tokens`. A spike does not enter the window that the next is measured by,
        unless it lasts."""
        if not (math.isfinite(loss) and math.isfinite(norm)):
            message = f"step {step}: loss {loss}, gradient norm {norm}: not a number; nothing after this step would be one."
            return [Event(step, "not_a_number", message, stop=True)]
        high_loss, high_norm = self._above(self._losses, loss), self._above(self._norms, norm)
        both = min(high_loss, high_norm) >= self.config.spike
        events = []
        if high_loss >= self.config.spike:
            said = f"step {step}: loss {loss:.4f} is {high_loss:.1f} standard deviations above its window, "
            if both:
                message = said + f"gradient norm {norm:.3f} {high_norm:.1f} above its own"
                events.append(self._spike(step, message))
            else:
                events.append(Event(step, "spike_let_be", said + f"gradient norm {norm:.3f} as usual: let be"))
        else:
            self._skipped = 0
        if not (both and self.config.policy == "skip"):  # those steps are not made; too many of them stop the run
            events.extend(self._enter(step, "loss", loss, high_loss, self._losses, self._high_losses))
            events.extend(self._enter(step, "gradient norm", norm, high_norm, self._norms, self._high_norms))
        events.extend(self._trend(step))
        events.extend(self._curve(step, loss, tokens))
        return events

    def _spike(self, step: int, message: str) -> Event:
        if self.config.policy != "skip":
            return Event(step, "spike", message, stop=self.config.policy == "stop")
        self._skipped += 1
        if self._skipped <= self.config.skips:
            return Event(step, "spike", message + ": the step is skipped")
        return Event(step, "spike", f"{message}: {self._skipped - 1} steps before it were skipped, this is no spike", stop=True)

    def _enter(
        self, step: int, name: str, value: float, above: float, window: deque[float], high: list[float]
    ) -> Iterator[Event]:
        """Takes a value into its window, at once or when it has turned out to be the new level."""
        if above < self.config.spike:
            high.clear()
            window.append(value)
            return
        high.append(value)
        if len(high) < self.config.window // 2:
            return
        before, now = median(list(window)[-self.config.window :]), median(high)
        message = (
            f"step {step}: the {name} has stayed above its window for {len(high)} steps, with a median of {now:.4g} after "
        )
        yield Event(step, "lasting", message + f"{before:.4g}; this is its level from here on")
        window.clear()  # beside values of the level before, a trend would be seen where there is a step
        window.extend(high)
        high.clear()

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
        if len(self._norms) < 2 * window or step - self._alarmed["rising"] < window:
            return []
        norms = list(self._norms)
        before, now = median(norms[:window]), median(norms[window:])
        if now < before * (1.0 + self.config.trend):
            return []
        self._alarmed["rising"] = step
        message = f"step {step}: the gradient norm's median rose from {before:.3f} to {now:.3f} within {window} steps"
        return [Event(step, "rising", message)]

    def _curve(self, step: int, loss: float, tokens: float) -> list[Event]:
        expected = predicted(self.config.predicted, tokens)
        if expected is None:
            return []
        self._gaps.append(loss - expected)
        gap, window = sum(self._gaps) / len(self._gaps), self.config.window
        if len(self._gaps) < window or gap <= self.config.interval or step - self._alarmed["off_curve"] < window:
            return []
        self._alarmed["off_curve"] = step
        message = f"step {step}: the loss has been {gap:.3f} above its predicted curve for {window} steps; restart"
        return [Event(step, "off_curve", message + " with a smaller learning rate or other data")]

    def state(self) -> dict[str, Any]:
        windows = {"losses": list(self._losses), "norms": list(self._norms), "gaps": list(self._gaps)}
        windows |= {"high_losses": list(self._high_losses), "high_norms": list(self._high_norms)}
        return {**windows, "alarmed": dict(self._alarmed), "skipped": self._skipped}

    def restore(self, state: Mapping[str, Any]) -> None:
        self._losses.extend(state["losses"])
        self._norms.extend(state["norms"])
        self._gaps.extend(state["gaps"])
        self._high_losses.extend(state.get("high_losses", []))
        self._high_norms.extend(state.get("high_norms", []))
        self._alarmed.update(state["alarmed"])
        self._skipped = int(state["skipped"])


def predicted(curve: Sequence[Sequence[float]], tokens: float) -> float | None:
    """The loss of a predicted curve at so many tokens, straight in log tokens between its points; None outside it."""
    for (before, high), (after, low) in pairwise(curve):
        if before <= tokens <= after:
            return high + (low - high) * math.log(tokens / before) / math.log(after / before)
    return None
