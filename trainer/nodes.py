"""How the launchers of several nodes know of each other: each writes down how its ranks ended, where all of them see it.

RUN/launch/ended-<job>-<start>-<node> holds the exit status of a node's ranks at one of the run's starts. Ranks of other nodes
look for it (`trainer.rank`) and end, where else they would wait in a collective; and no node starts its ranks again before
the ranks of all have ended.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from core.run import Run
from core.storage import local_path
from trainer.rank import MARKS

_SECONDS_BETWEEN_LOOKS = 1.0


@dataclass(frozen=True)
class Nodes:
    """This node's launcher among `count`; job: tells the marks of one submission from those of another."""

    folder: Path
    job: str
    node: int
    count: int

    @classmethod
    def here(cls, run: Run, count: int, environment: Mapping[str, str]) -> Nodes:
        """From what a scheduler or a person has set: NODE_RANK, and under Slurm the job's number.

        What other submissions left is removed. Started by hand all are of one name: start the nodes within seconds.
        """
        numbers = [environment.get(name, "0") for name in ("SLURM_JOB_ID", "SLURM_RESTART_COUNT")]
        made = cls(Path(local_path(run.stage("launch").uri)), ".".join(numbers), int(environment["NODE_RANK"]), count)
        made.folder.mkdir(parents=True, exist_ok=True)
        for mark in made.folder.glob("ended-*"):
            if "SLURM_JOB_ID" not in environment or not mark.name.startswith(f"ended-{made.job}-"):
                mark.unlink(missing_ok=True)
        return made

    def environment(self, start: int) -> dict[str, str]:
        """What ranks of this node are told at a start: where the marks of the others will be."""
        return {MARKS: str(self.folder / f"ended-{self.job}-{start}-")}

    def mark(self, start: int, status: int) -> None:
        """This node's ranks have ended."""
        beside = self.folder / f".{self.job}-{start}-{self.node}"
        beside.write_text(str(status), encoding="utf-8")
        beside.replace(self.folder / f"ended-{self.job}-{start}-{self.node}")

    def ended(self, start: int) -> dict[int, int]:
        """Exit statuses by node, of those whose ranks have ended."""
        found = self.folder.glob(f"ended-{self.job}-{start}-*")
        return {int(mark.name.rpartition("-")[2]): int(mark.read_text(encoding="utf-8")) for mark in found}

    def wait(self, start: int, seconds: float) -> dict[int, int]:
        """The same when the ranks of all nodes have ended, or so many seconds are over."""
        until = time.monotonic() + seconds
        while len(ended := self.ended(start)) < self.count and time.monotonic() < until:
            time.sleep(_SECONDS_BETWEEN_LOOKS)
        return ended
