"""How the launchers of several nodes know of each other: each writes down how its ranks ended, where all of them see it.

RUN/launch/ended-<job>-<start>-<node> holds the exit status of a node's ranks at one of the run's starts, or of a launcher that
ended before it had started them. Ranks of other nodes look for it (`trainer.rank`) and end, where else they would wait in a
collective; and no node starts its ranks again before the ranks of all have ended.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from core.config import ConfigError
from core.run import Run
from core.storage import local_path
from trainer.rank import MARKS, REFUSED

BY_A_PERSON = 128 + 2
_SECONDS_BETWEEN_LOOKS = 1.0
_SECONDS_BETWEEN_HANDS = 30.0


def check_environment(environment: Mapping[str, str], hosts: int) -> None:
    """Raises ConfigError where what a launcher on each of so many nodes must be told is not all there."""
    if missing := [name for name in ("MASTER_ADDR", "MASTER_PORT") if not environment.get(name)]:
        raise ConfigError(
            f"NODE_RANK is set in the environment, {' and '.join(missing)} not: a command that is started on every node needs "
            "the first node's address and a free port of it, the same on all; without NODE_RANK the nodes are reached by ssh."
        )
    if not environment["MASTER_PORT"].isdigit():
        raise ConfigError(f"MASTER_PORT = {environment['MASTER_PORT']}: is no port; use a number such as 29500.")
    if int(environment["NODE_RANK"]) >= hosts:
        raise ConfigError(f"NODE_RANK = {environment['NODE_RANK']}: the hostfile has {hosts} nodes in use; number them from 0.")


def _refused_now(mark: Path) -> bool:
    """Whether a node that was started by hand a moment before this one was refused; no other end comes so soon."""
    return time.time() - mark.stat().st_mtime < _SECONDS_BETWEEN_HANDS and mark.read_text(encoding="utf-8") == str(REFUSED)


@dataclass(frozen=True)
class Nodes:
    """This node's launcher among others; job: tells the marks of one submission from those of another."""

    folder: Path
    job: str
    node: int

    @classmethod
    def here(cls, run: Run, environment: Mapping[str, str]) -> Nodes:
        """From what a scheduler or a person has set: NODE_RANK, and under Slurm the job's number. Raises ConfigError.

        What other submissions left is removed. Started by hand all are of one name: start the nodes within seconds.
        """
        if not environment["NODE_RANK"].isdigit():
            raise ConfigError(f"NODE_RANK = {environment['NODE_RANK']}: is no node's number; number the nodes from 0.")
        numbers = [environment.get(name, "0") for name in ("SLURM_JOB_ID", "SLURM_RESTART_COUNT")]
        made = cls(Path(local_path(run.stage("launch").uri)), ".".join(numbers), int(environment["NODE_RANK"]))
        made.folder.mkdir(parents=True, exist_ok=True)
        for mark in made.folder.glob("ended-*"):
            with suppress(FileNotFoundError):  # another node does the same
                told = mark.name.startswith(f"ended-{made.job}-") if "SLURM_JOB_ID" in environment else _refused_now(mark)
                if not told or mark.name.endswith(f"-{made.node}"):
                    mark.unlink()
        return made

    @contextmanager
    def told_of_errors(self) -> Iterator[None]:
        """Marks what ends this launcher within the body, also before and between starts: none must wait for its ranks."""
        try:
            yield
        except BaseException as error:
            start = next(start for start in count() if not self._mark(start).exists())
            self.mark(start, BY_A_PERSON if isinstance(error, (KeyboardInterrupt, SystemExit)) else REFUSED)
            raise

    def _mark(self, start: int) -> Path:
        return self.folder / f"ended-{self.job}-{start}-{self.node}"

    def environment(self, start: int) -> dict[str, str]:
        """What ranks of this node are told at a start: where the marks of the others will be."""
        return {MARKS: str(self.folder / f"ended-{self.job}-{start}-")}

    def mark(self, start: int, status: int) -> None:
        """This node's ranks have ended."""
        beside = self.folder / f".{self.job}-{start}-{self.node}"
        beside.write_text(str(status), encoding="utf-8")
        beside.replace(self._mark(start))

    def ended(self, start: int) -> dict[int, int]:
        """Exit statuses by node, of those whose ranks have ended."""
        found = self.folder.glob(f"ended-{self.job}-{start}-*")
        return {int(mark.name.rpartition("-")[2]): int(mark.read_text(encoding="utf-8")) for mark in found}

    def wait(self, start: int, nodes: int, seconds: float) -> dict[int, int]:
        """The same when the ranks of so many nodes have ended, or so many seconds are over."""
        until = time.monotonic() + seconds
        while len(ended := self.ended(start)) < nodes and time.monotonic() < until:
            time.sleep(_SECONDS_BETWEEN_LOOKS)
        return ended
