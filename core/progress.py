"""A progress display for long work: a bar on a terminal, a line every few seconds in a log."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from tqdm import tqdm

_SECONDS_BETWEEN_LINES = 10.0


class Progress:
    """Counts work done; `with Progress(total=20, label="clean", unit="shard") as bar: bar.advance()`."""

    def __init__(self, label: str, total: int | None = None, unit: str = "it", begin: int = 0) -> None:
        self._label, self._total, self._unit = label, total, unit
        self._first = self._done = begin  # what an earlier call did: it says nothing of this one's speed
        self._began = self._last = time.monotonic()
        self._note = ""
        self._bar = tqdm(total=total, desc=label, unit=unit, initial=begin, dynamic_ncols=True) if sys.stderr.isatty() else None

    def advance(self, steps: int = 1, note: str = "") -> None:
        self.reach(self._done + steps, note=note)

    def reach(self, done: int, total: int | None = None, note: str = "") -> None:
        """Sets the count (and, where it only becomes known on the way, the total)."""
        self._note = note or self._note
        if total is not None:
            self._total = total
        if self._bar is not None:
            if total is not None:
                self._bar.total = total
            if note:
                self._bar.set_postfix_str(note, refresh=False)
            self._bar.update(done - self._bar.n)
        self._done = done
        now = time.monotonic()
        if self._bar is None and now - self._last >= _SECONDS_BETWEEN_LINES:
            self._last = now
            self._line()

    def _line(self) -> None:
        of = f"/{self._total}" if self._total else ""
        elapsed = time.monotonic() - self._began
        left = ""
        if self._total and self._first < self._done < self._total:
            left = f", about {elapsed / (self._done - self._first) * (self._total - self._done):.0f} s left"
        note = f"  {self._note}" if self._note else ""
        print(f"  {self._label}: {self._done}{of} {self._unit}, {elapsed:.0f} s{left}{note}", file=sys.stderr, flush=True)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
        elif time.monotonic() - self._began >= _SECONDS_BETWEEN_LINES:
            self._line()

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
