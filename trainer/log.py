"""The training log: one JSON object a line, the same numbers in TensorBoard, and one line for a person."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a log; a last line that a kill cut short is left out."""
    if not path.exists():
        return
    with path.open(encoding="utf-8") as handle:
        for line in handle:
            if line.endswith("\n"):
                yield json.loads(line)


class Log:
    """Appends to `log.jsonl` and `tensorboard/` of a folder; a run that goes on from `step` drops the rows after it."""

    def __init__(self, folder: Path, step: int) -> None:
        from torch.utils.tensorboard import SummaryWriter  # not at the top: those who only read rows need no torch

        self.path = folder / "log.jsonl"
        kept = [row for row in rows(self.path) if row["step"] <= step]
        beside = self.path.with_suffix(".aside")
        beside.write_text("".join(json.dumps(row) + "\n" for row in kept), encoding="utf-8")
        beside.replace(self.path)
        self.first_loss: float | None = next((row["loss"] for row in kept if "loss" in row), None)
        self._file = self.path.open("a", encoding="utf-8")
        self._board = SummaryWriter(str(folder / "tensorboard"), purge_step=step + 1)

    def write(self, row: Mapping[str, Any]) -> None:
        """One row; numbers, nested ones too, become curves named by their keys, a message a note. `step` is required."""
        if self.first_loss is None and "loss" in row:
            self.first_loss = row["loss"]
        self._file.write(json.dumps(row) + "\n")
        self._file.flush()
        if "message" in row:
            self._board.add_text(str(row["event"]), str(row["message"]), row["step"])
        for name, value in _numbers(row):
            if name != "step":
                self._board.add_scalar(name, value, row["step"])

    def close(self) -> None:
        self._file.close()
        self._board.close()


def _numbers(row: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, float]]:
    for key, value in row.items():
        if isinstance(value, Mapping):
            yield from _numbers(value, f"{prefix}{key}/")
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            yield f"{prefix}{key}", float(value)
